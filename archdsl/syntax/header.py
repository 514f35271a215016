"""The first line, `archdsl 1`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.diagnostics import Diagnostic, Fix, Label
from archdsl.syntax import codes
from archdsl.syntax.build import MAX_DIGITS
from archdsl.syntax.token_names import nearest
from archdsl.syntax.tokens import NAME, NEWLINE, Token
from archdsl.text import SourceFile, Span, TextEdit

VERSION: Final = 1
"""The version of the language that this tool reads."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header: its length in tokens, whether the version is supported, and its diagnostics."""

    length: int
    sound: bool
    diagnostic: Diagnostic | None = None


def header_of(source: SourceFile, tokens: Sequence[Token]) -> Header:
    first = tokens[0]
    length = next((at + 1 for at, token in enumerate(tokens) if token.kind == NEWLINE), len(tokens))
    if first.kind != "ARCHDSL" and not _nearly(source, first, tokens[1:2]):
        return Header(0, sound=False, diagnostic=_missing(source, first))
    if first.kind != "ARCHDSL" or [token.kind for token in tokens[1:length]] != ["INT", NEWLINE]:
        return Header(length, sound=False, diagnostic=_broken(source, tokens[:length]))
    number = Span(source, tokens[1].start, tokens[1].stop)
    digits = number.text.replace("_", "").lstrip("0")
    if len(digits) > MAX_DIGITS or (digits and int(digits) > VERSION):
        return Header(length, sound=True, diagnostic=_newer(number))
    if not digits:
        return Header(length, sound=False, diagnostic=_broken(source, tokens[:length]))
    return Header(length, sound=True)


def _nearly(source: SourceFile, first: Token, rest: Sequence[Token]) -> bool:
    word = source.text[first.start : first.stop]
    return first.kind == NAME and bool(rest) and rest[0].kind == "INT" and nearest(word, ("archdsl",)) is not None


def _missing(source: SourceFile, first: Token) -> Diagnostic:
    return Diagnostic(
        codes.HEADER_MISSING,
        f"the header `archdsl {VERSION}` is missing",
        Label(Span(source, first.start, first.stop), "the first line says which version of the language follows"),
        help=f"write `archdsl {VERSION}` on the first line",
        fix=Fix(f"add `archdsl {VERSION}`", (TextEdit(Span(source, 0, 0), f"archdsl {VERSION}\n\n"),), certain=True),
    )


def _broken(source: SourceFile, line: Sequence[Token]) -> Diagnostic:
    return Diagnostic(
        codes.HEADER_BROKEN,
        "the header does not name a version of the language",
        Label(Span(source, line[0].start, line[-1].start), f"`archdsl {VERSION}` belongs here"),
        help=f"write `archdsl {VERSION}`",
        fix=Fix(
            f"write `archdsl {VERSION}`",
            (TextEdit(Span(source, line[0].start, line[-1].start), f"archdsl {VERSION}"),),
        ),
    )


def _newer(number: Span) -> Diagnostic:
    shown = number.text if len(number.text) <= 20 else "of many digits"
    return Diagnostic(
        codes.VERSION_NEWER,
        f"version {shown} of the language is newer than this tool",
        Label(number, f"this tool reads version {VERSION}"),
        notes=("nothing else in the file was read",),
        help="update archdsl, or write the text in version 1",
    )
