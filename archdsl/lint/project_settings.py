"""`[tool.archdsl.lint]` in a project's `pyproject.toml`: levels of warnings, by code or by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.lint import codes
from archdsl.lint.rule import Level
from archdsl.lint.rules import RULES, rule_of
from archdsl.text import SourceFile, Span


@dataclass(frozen=True, slots=True)
class LintSettings:
    """The levels that a project gives to warnings, by code, and what is wrong with its settings."""

    levels: Mapping[str, Level]
    diagnostics: tuple[Diagnostic, ...] = ()


NO_SETTINGS = LintSettings({})

_MENTIONED: Final = re.compile(r"""tool["']?\s*(\.\s*["']?archdsl|\]|=)""")
"""A text without it has no `[tool.archdsl]` in any of TOML's spellings; reading one takes several milliseconds."""


@lru_cache(maxsize=16)
def read_settings(source: SourceFile) -> LintSettings:
    """The settings in the text of a `pyproject.toml`; none where it has no `[tool.archdsl]`."""
    if _MENTIONED.search(source.text) is None:
        return NO_SETTINGS
    import tomllib

    try:
        tools = tomllib.loads(source.text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        return LintSettings({}, (_bad(source, f"`{source.name}` cannot be read: {error}", "", "mend the file"),))
    ours = _table(_table(tools).get("archdsl", {}))
    lint = ours.get("lint", {})
    if not isinstance(lint, dict):
        message = "`lint` of `[tool.archdsl]` is no table"
        return LintSettings({}, (_bad(source, message, "lint", "write `[tool.archdsl.lint]`"),))
    levels: dict[str, Level] = {}
    found: list[Diagnostic] = [
        _bad(source, f"`[tool.archdsl]` has no setting `{name}`", name, "known here: `lint`")
        for name in ours
        if name != "lint"
    ]
    for name, value in cast("dict[str, Any]", lint).items():
        found += _set(source, name, value, levels)
    return LintSettings(levels, tuple(found))


def _set(source: SourceFile, name: str, value: object, levels: dict[str, Level]) -> Iterator[Diagnostic]:
    rule = rule_of(name)
    if rule is None:
        yield Diagnostic(
            codes.UNKNOWN_RULE,
            f"there is no warning `{name}`",
            Label(_key(source, name), "not known"),
            help=near_rule(name),
            severity=Severity.WARNING,
        )
    elif value not in [*Level]:
        written = f"`{value}`" if isinstance(value, str) else "this"
        yield _bad(source, f"{written} is no level of `{name}`", name, 'write `"allow"`, `"warn"` or `"deny"`')
    else:
        levels[rule.code] = Level(value)


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _bad(source: SourceFile, message: str, name: str, help: str) -> Diagnostic:
    label = Label(_key(source, name), "here") if name else None
    return Diagnostic(codes.BAD_SETTINGS, message, label, help=help, file=source.name)


def _key(source: SourceFile, name: str) -> Span:
    """Where a key stands below the first header of ours; TOML's reader does not say."""
    below = max(source.text.find("[tool.archdsl"), 0)
    pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    match = pattern.search(source.text, below)
    return Span(source, *(match.span() if match else (below, below)))


def near_rule(written: str) -> str:
    """Help for a name that is no rule's."""
    from difflib import get_close_matches

    known = [name for rule in RULES for name in (rule.code, rule.name)]
    near = get_close_matches(written if written.islower() else written.upper(), known, 1)
    return f"did you mean `{near[0]}`?" if near else "`archdsl explain --list` lists all codes"
