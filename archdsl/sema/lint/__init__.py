"""Warnings: what is allowed and rarely meant. A rule is a file, and its code has a page."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.sema.lint import (
    shadowing,
    unused_cell,
    unused_cost,
    unused_import,
    unused_line,
    unused_op,
    unused_ops,
    unused_parameter,
)
from archdsl.sema.lint.rule import File, Rule
from archdsl.sema.modules.load import Unit
from archdsl.sema.resolve.index import Resolution

RULES: tuple[Rule, ...] = (
    shadowing.RULE,
    unused_import.RULE,
    unused_op.RULE,
    unused_ops.RULE,
    unused_cell.RULE,
    unused_parameter.RULE,
    unused_cost.RULE,
    unused_line.RULE,
)

__all__ = ["RULES", "File", "Rule", "lint"]


def lint(unit: Unit, resolution: Resolution) -> Iterator[Diagnostic]:
    """The warnings for a file without errors."""
    file = File(unit, resolution)
    for rule in RULES:
        yield from rule.find(file)
