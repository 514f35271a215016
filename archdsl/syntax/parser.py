"""The parser's entry point: from a source file to its AST and diagnostics."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.syntax import ast, codes
from archdsl.syntax.build import Builder
from archdsl.syntax.grammar import tables
from archdsl.syntax.header import header_of
from archdsl.syntax.lalr_driver import drive
from archdsl.syntax.layout import arrange
from archdsl.syntax.tables import Tables
from archdsl.syntax.tokens import COMMENT, NEWLINE, STRANGE, Comment, Token, comments_of
from archdsl.text import SourceFile, Span

MAX_REPORTS: Final = 200
"""The largest number of syntax errors in one report."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed text.

    The tree is complete where `diagnostics` is empty. Otherwise it holds every statement that could be read or
    mended; a name that was missing has an empty text.
    """

    source: SourceFile
    file: ast.File
    diagnostics: tuple[Diagnostic, ...] = ()
    comments: tuple[Comment, ...] = ()
    tokens: tuple[Token, ...] = field(default=(), repr=False)
    """All tokens of the text, newlines and comments included."""


def parse(source: SourceFile) -> Parsed:
    """Read a text. Never raises for what is in it: mistakes are in `diagnostics`, in the order of the text."""
    with _no_cyclic_collection():
        return _parse(source)


@contextmanager
def _no_cyclic_collection() -> Generator[None, None, None]:
    """A parse makes many objects and no cycles; looking for cycles would double its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parse(source: SourceFile) -> Parsed:
    known = tables()
    written = known.lexicon.tokens(source.text)
    comments = comments_of(source, written)
    diagnostics: list[Diagnostic] = []
    respelled: dict[int, str] = {}
    tokens: Sequence[Token] = written
    if any(token.kind in STRANGE for token in written):
        from archdsl.syntax.misspellings import mend  # what only mistakes need is imported for them only

        mended = mend(source, written)
        tokens, respelled = mended.tokens, mended.respelled
        diagnostics += mended.diagnostics
    arranged = arrange(tokens)
    if arranged is None:
        from archdsl.syntax.brackets import pair

        paired = pair(source, tokens)
        diagnostics += paired.diagnostics
        arranged = arrange(paired.tokens) or []
    if all(token.kind in (NEWLINE, COMMENT) for token in arranged):
        nothing = () if diagnostics else (_nothing(source, has_comments=bool(comments)),)
        return Parsed(source, _empty(source), _in_order([*diagnostics, *nothing]), comments, tuple(written))
    header = header_of(source, arranged)
    if header.diagnostic is not None:
        if header.diagnostic.code == codes.VERSION_NEWER:
            return Parsed(source, _empty(source), (header.diagnostic,), comments, tuple(written))
        diagnostics.append(header.diagnostic)
    if not header.sound:
        arranged = arranged[header.length :]
    file, more = _tree(known, source, arranged, respelled, diagnostics)
    return Parsed(source, file, _in_order([*diagnostics, *more]), comments, tuple(written))


def _tree(
    known: Tables,
    source: SourceFile,
    tokens: Sequence[Token],
    respelled: dict[int, str],
    before: Sequence[Diagnostic],
) -> tuple[ast.File, list[Diagnostic]]:
    builder = Builder(source, respelled)
    file = drive(known, tokens, source, builder)
    if file is not None:
        return file, builder.diagnostics
    from archdsl.syntax.recover import recover

    excused = sorted(label.span.start for label in (found.primary for found in before) if label is not None)
    recovered = recover(known, source, tokens, excused)
    builder = Builder(source, respelled)
    file = drive(known, recovered.tokens, source, builder)
    return file or _empty(source), [*recovered.diagnostics, *builder.diagnostics]


def _in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the text, at most the limit."""
    diagnostics.sort(key=_place)
    if len(diagnostics) <= MAX_REPORTS:
        return tuple(diagnostics)
    last = diagnostics[MAX_REPORTS - 1]
    rest = len(diagnostics) - MAX_REPORTS
    note = Diagnostic(
        codes.TOO_MANY,
        f"{rest} more syntax mistakes are not shown",
        last.primary,
        help="mend those above first",
    )
    return (*diagnostics[:MAX_REPORTS], note)


def _place(diagnostic: Diagnostic) -> int:
    return diagnostic.primary.span.start if diagnostic.primary is not None else 0


def _empty(source: SourceFile) -> ast.File:
    return ast.File(Span(source, 0, len(source.text)), None, ())


def _nothing(source: SourceFile, *, has_comments: bool) -> Diagnostic:
    what = "holds nothing but comments" if has_comments else "is empty"
    return Diagnostic(
        codes.NOTHING,
        f"the file {what}",
        Label(Span(source, 0, 0), "nothing to read"),
        help="begin with `archdsl 1` and an item such as `space`",
        file=source.name,
    )
