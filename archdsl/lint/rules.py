"""All rules, in the order of their codes."""

from __future__ import annotations

from typing import Final

from archdsl.lint import (
    constant_output,
    malformed_comment,
    outdated_hash,
    shadowing,
    unknown_rule,
    unused_allow,
    unused_cell,
    unused_cost,
    unused_import,
    unused_line,
    unused_op,
    unused_ops,
    unused_parameter,
)
from archdsl.lint.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    unused_allow.RULE,
    unknown_rule.RULE,
    malformed_comment.RULE,
    shadowing.RULE,
    unused_import.RULE,
    unused_op.RULE,
    unused_ops.RULE,
    unused_cell.RULE,
    unused_parameter.RULE,
    unused_cost.RULE,
    unused_line.RULE,
    outdated_hash.RULE,
    constant_output.RULE,
)

_BY_NAME: Final = {name: rule for rule in RULES for name in (rule.code, rule.name)}


def rule_of(written: str) -> Rule | None:
    """The rule of a code or a name."""
    return _BY_NAME.get(written)
