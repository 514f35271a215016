"""The formatter: no options, no reordering, every comment kept with its token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.fmt.layout import layout
from archdsl.fmt.lines import lines
from archdsl.syntax import Parsed, parse
from archdsl.text import SourceFile, Span

CHANGED_MEANING: Final = "E0901"


@dataclass(frozen=True, slots=True)
class Formatted:
    """The canonical text of a source; the unchanged text where there are `diagnostics`."""

    source: SourceFile
    text: str
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        return self.text != self.source.text


def format(parsed: Parsed) -> str:
    """The canonical form of a text.

    Raises ValueError where the text has syntax mistakes: what was not understood cannot be laid out.
    """
    if parsed.diagnostics:
        raise ValueError(f"{parsed.source.name} has syntax mistakes and cannot be formatted")
    return lines(layout(parsed))


def format_source(source: SourceFile) -> Formatted:
    """Format a text and parse the result: it is returned only if AST and comments are unchanged (else E0901)."""
    parsed = parse(source)
    if parsed.diagnostics:
        return Formatted(source, source.text, parsed.diagnostics)
    text = format(parsed)
    if text == source.text:
        return Formatted(source, text)
    again = parse(SourceFile(source.name, text))
    if again.diagnostics or again.file != parsed.file or not _same_comments(again, parsed):
        return Formatted(source, source.text, (_changed(source),))
    return Formatted(source, text)


def _same_comments(one: Parsed, other: Parsed) -> bool:
    return [comment.text for comment in one.comments] == [comment.text for comment in other.comments]


def _changed(source: SourceFile) -> Diagnostic:
    return Diagnostic(
        CHANGED_MEANING,
        "formatting would have changed what the text says, and was not done",
        Label(Span(source, 0, 0), "the whole text"),
        notes=("this is a mistake in archdsl, not in the text",),
        help="report it, with the text",
        file=source.name,
    )
