"""Comments that allow warnings: `# archdsl: allow(W0203)`, with a reason behind it if there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.lint import codes
from archdsl.records import record
from archdsl.syntax import Parsed
from archdsl.text import Span

_DIRECTIVE: Final = re.compile(r"#\s*archdsl:(?P<rest>.*)")
_ALLOW: Final = re.compile(r"\s*allow\s*\((?P<names>[^()]*)\)")
_NAME: Final = re.compile(r"[\w-]+")


@record
class Name:
    """A code or the name of a rule, as it is written."""

    text: str
    span: Span


@record
class Allow:
    """A comment that allows warnings on one line."""

    span: Span
    names: tuple[Name, ...]
    line: int
    """The line that it is about, from 1: its own, or where it stands alone the next that is no comment."""


def allows_in(parsed: Parsed) -> Iterator[Allow]:
    """The comments of a text that allow something."""
    for span, match in _directives(parsed):
        if (allow := _ALLOW.match(match["rest"])) is not None:
            start = span.start + match.start("rest") + allow.start("names")
            names = tuple(
                Name(name[0], Span(span.source, start + name.start(), start + name.end()))
                for name in _NAME.finditer(allow["names"])
            )
            yield Allow(span, names, _line_of(span))


def malformed(parsed: Parsed) -> Iterator[Diagnostic]:
    """Comments that begin with `# archdsl:` and allow nothing."""
    for span, match in _directives(parsed):
        allow = _ALLOW.match(match["rest"])
        if allow is None or _NAME.search(allow["names"]) is None:
            yield Diagnostic(
                codes.MALFORMED_COMMENT,
                f"`{span.text.rstrip()}` is no comment that archdsl knows",
                Label(span, "has no effect"),
                help="write `# archdsl: allow(W0203)`, or take the comment out",
                severity=Severity.WARNING,
            )


def _directives(parsed: Parsed) -> Iterator[tuple[Span, re.Match[str]]]:
    for comment in parsed.comments:
        if (match := _DIRECTIVE.fullmatch(comment.text)) is not None:
            yield Span(comment.span.source, comment.span.start, comment.span.start + len(comment.text)), match


def _line_of(span: Span) -> int:
    source = span.source
    line = span.position.line
    if source.text[: span.start].rpartition("\n")[2].strip():
        return line
    below = range(line + 1, source.line_count + 1)
    return next((each for each in below if (text := source.line(each).strip()) and not text.startswith("#")), line)
