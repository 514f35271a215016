"""What becomes of a warning: comments allow it at a place, a project's settings everywhere, or make it an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.lint import codes
from archdsl.lint.allow import Allow, allows_in, malformed
from archdsl.lint.project_settings import LintSettings, near_rule
from archdsl.lint.rule import Level
from archdsl.lint.rules import rule_of
from archdsl.syntax import Parsed


def reported(
    found: Iterable[Diagnostic], parsed: Parsed, settings: LintSettings, *, whole: bool
) -> tuple[Diagnostic, ...]:
    """What is reported of what was found in a text: by its comments, and by the settings of its project.

    Where the `whole` text was checked, so are its comments and the settings. A text with errors was not asked for all
    of its warnings, so a comment without effect is no news there.
    """
    allows = tuple(allows_in(parsed))
    levelled = _at_levels(found, allows, settings.levels)
    if not whole:
        return levelled.diagnostics
    comments = [*malformed(parsed), *_unknown_names(allows)]
    if not any(each.severity is Severity.ERROR and rule_of(each.code) is None for each in levelled.diagnostics):
        comments += _unused_allows(levelled.unused)
    about = _at_levels([*comments, *settings.diagnostics], (), settings.levels)
    return (*levelled.diagnostics, *about.diagnostics)


@dataclass(frozen=True, slots=True)
class _Levelled:
    """Diagnostics as they are reported, and the comments that took none of them away."""

    diagnostics: tuple[Diagnostic, ...]
    unused: tuple[Allow, ...]


def _at_levels(found: Iterable[Diagnostic], allows: Iterable[Allow], levels: Mapping[str, Level]) -> _Levelled:
    """Diagnostics without those that are allowed; those that are denied are errors.

    `levels` are those of a project, by code. Errors, which are no rule's, stay as they are.
    """
    covering: dict[tuple[str, int, str], list[Allow]] = {}
    for allow in (allows := tuple(allows)):
        for name in allow.names:
            if (rule := rule_of(name.text)) is not None:
                covering.setdefault((allow.span.source.name, allow.line, rule.code), []).append(allow)
    kept: list[Diagnostic] = []
    used: set[int] = set()
    for each in found:
        rule = rule_of(each.code)
        if rule is None:
            kept.append(each)
        elif taken := covering.get((*_place(each), each.code)):
            used.update(id(allow) for allow in taken)
        elif (diagnostic := _at(levels.get(rule.code, rule.level), each)) is not None:
            kept.append(diagnostic)
    return _Levelled(tuple(kept), tuple(allow for allow in allows if id(allow) not in used))


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    if diagnostic.primary is None:
        return diagnostic.file, 0
    span = diagnostic.primary.span
    return span.source.name, span.position.line


def _at(level: Level, diagnostic: Diagnostic) -> Diagnostic | None:
    match level:
        case Level.ALLOW:
            return None
        case Level.WARN:
            return replace(diagnostic, severity=Severity.WARNING)
        case Level.DENY:
            return replace(diagnostic, severity=Severity.ERROR)
        case _:
            assert_never(level)


def _unknown_names(allows: Iterable[Allow]) -> Iterator[Diagnostic]:
    """Names in comments that are no rule's."""
    for allow in allows:
        for name in allow.names:
            if rule_of(name.text) is None:
                yield Diagnostic(
                    codes.UNKNOWN_RULE,
                    f"there is no warning `{name.text}`",
                    Label(name.span, "not known"),
                    help=near_rule(name.text),
                    severity=Severity.WARNING,
                )


def _unused_allows(unused: Iterable[Allow]) -> Iterator[Diagnostic]:
    """Comments that allow nothing that was found."""
    for allow in unused:
        known = [name.text for name in allow.names if rule_of(name.text) is not None]
        if known:
            yield Diagnostic(
                codes.UNUSED_ALLOW,
                f"nothing is allowed here: no {', '.join(f'`{name}`' for name in known)} on line {allow.line}",
                Label(allow.span, "has no effect"),
                help="take the comment out",
                severity=Severity.WARNING,
            )
