"""Diagnostics for syntax errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.diagnostics import Diagnostic, Fix, Label
from archdsl.syntax import codes
from archdsl.syntax.token_names import ARM_WORDS, ITEM_KINDS, brief, expected, found
from archdsl.syntax.tokens import NAME, NEWLINE, Token
from archdsl.text import SourceFile, Span, TextEdit


@dataclass(frozen=True, slots=True)
class Repair:
    """Insert kinds before `token` and drop so many tokens from it on."""

    inserted: tuple[str, ...]
    dropped: int
    token: Token


@dataclass(frozen=True, slots=True)
class Trouble:
    """An unexpected token: what precedes it in the statement, and what is expected."""

    token: Token
    before: Token | None
    able: Sequence[str]
    first: Token
    wrong_level: bool
    in_block: bool


def repaired(
    source: SourceFile, repair: Repair, before: Token | None, marks: Mapping[str, str], able: Sequence[str]
) -> Diagnostic:
    """A syntax error with a repair."""
    token = repair.token
    if repair.dropped and repair.inserted:
        return _replaced(source, repair, marks)
    if repair.dropped:
        return _dropped(source, token, before, marks, able)
    return _inserted(source, repair, before, marks, able)


def _replaced(source: SourceFile, repair: Repair, marks: Mapping[str, str]) -> Diagnostic:
    token, (kind,) = repair.token, repair.inserted
    span = Span(source, token.start, token.stop)
    word = span.text
    if kind == NAME and token.kind in marks and marks[token.kind].isidentifier():
        return Diagnostic(
            codes.KEYWORD_AS_NAME,
            f"`{word}` is a keyword and cannot be a name",
            Label(span, "a name belongs here"),
            help=f"choose another name, such as `{word}_`",
            fix=Fix(f"write `{word}_`", (TextEdit(span, f"{word}_"),)),
        )
    if kind == NAME:
        return Diagnostic(
            codes.OUT_OF_PLACE,
            f"`{brief(word)}` stands where a name is expected",
            Label(span, "a name belongs here"),
            help=f"write a name instead of `{brief(word)}`",
        )
    mark = "==" if kind == "COMPARE" else marks[kind]
    return Diagnostic(
        codes.OUT_OF_PLACE,
        f"`{brief(word)}` stands where `{mark}` is expected",
        Label(span, f"`{mark}` belongs here"),
        help=f"write `{mark}`",
        fix=Fix(f"write `{mark}`", (TextEdit(span, mark),), certain=kind in ("EQUAL", "COLON")),
    )


def _dropped(
    source: SourceFile, token: Token, before: Token | None, marks: Mapping[str, str], able: Sequence[str]
) -> Diagnostic:
    what = found(source, token)
    behind = f" after {found(source, before)}" if before is not None else ""
    return Diagnostic(
        codes.OUT_OF_PLACE,
        f"{what} cannot stand here{behind}",
        Label(Span(source, token.start, token.stop), f"expected {expected(able, marks)}"),
        help=f"leave {what} out",
        fix=Fix(f"leave {what} out", (TextEdit(Span(source, token.start, token.stop), ""),)),
    )


def _inserted(
    source: SourceFile, repair: Repair, before: Token | None, marks: Mapping[str, str], able: Sequence[str]
) -> Diagnostic:
    kind = repair.inserted[0]
    token = repair.token
    place = before.stop if before is not None else token.start
    gap = Span(source, place, place)
    here = Span(source, token.start, max(token.stop, token.start)) if token.kind != NEWLINE else gap
    after = f" after {found(source, before)}" if before is not None else ""
    if kind == "COMMA":
        return Diagnostic(
            codes.COMMA_MISSING,
            f"a comma is missing between {found(source, before or token)} and {found(source, token)}",
            Label(gap, "`,` belongs here"),
            help="write `,` between them",
            fix=Fix("add `,`", (TextEdit(gap, ","),), certain=True),
        )
    if kind == NEWLINE:
        return Diagnostic(
            codes.OUT_OF_PLACE,
            f"{found(source, token)} begins a second statement on its line",
            Label(here, "a new line belongs before this"),
            help="begin a new line here",
        )
    if kind in (NAME, "INT"):
        what = "a value" if "INT" in able and NAME in able else "a name" if kind == NAME else "a whole number"
        return Diagnostic(
            codes.VALUE_MISSING,
            f"{what} is missing{after}",
            Label(gap, f"{what} belongs here"),
            help=f"write {what}{after}",
        )
    mark = "".join(marks[part] for part in repair.inserted) if kind == "LPAR" else marks[kind]
    if len(repair.inserted) > 1 and kind == "OF":
        return Diagnostic(
            codes.MARK_MISSING,
            f"`of` and a name are missing{after}",
            Label(here, "what is it of?"),
            help=f"write `of NAME`{after}",
        )
    return Diagnostic(
        codes.MARK_MISSING,
        f"`{mark}` is missing{after}",
        Label(here, f"`{mark}` belongs before this" if here is not gap else f"`{mark}` belongs here"),
        help=f"write `{mark}`{after}",
        fix=Fix(f"add `{mark}`", (TextEdit(gap, mark if mark in (":", "()") else f" {mark}"),)),
    )


def misspelt(source: SourceFile, first: Token, keyword: str) -> Diagnostic:
    span = Span(source, first.start, first.stop)
    return Diagnostic(
        codes.UNKNOWN_STATEMENT,
        f"`{span.text}` is not a keyword",
        Label(span, f"perhaps `{keyword}`"),
        help=f"write `{keyword}`",
        fix=Fix(f"write `{keyword}`", (TextEdit(span, keyword),)),
    )


def broken_header(source: SourceFile, trouble: Trouble, marks: Mapping[str, str]) -> Diagnostic:
    first = Span(source, trouble.first.start, trouble.first.stop).text.strip()
    where = f" at `{brief(first)}`" if first else ""  # a line can begin with the bracket that another one lacks
    return Diagnostic(
        codes.BROKEN_HEADER,
        f"the line that opens a block{where} cannot be read",
        _label(source, trouble, marks),
        help=_write(expected(trouble.able, marks)),
    )


def out_of_place(source: SourceFile, trouble: Trouble, marks: Mapping[str, str]) -> Diagnostic:
    """A statement without a repair, which is skipped."""
    token = trouble.token
    what = found(source, token)
    span = Span(source, token.start, token.stop)
    if trouble.wrong_level:
        return Diagnostic(
            codes.WRONG_LEVEL,
            f"{what} begins a statement outside of all blocks",
            Label(span, "statements stand between the `{` and `}` of an item"),
            help="move it into a `cell`, a `space` or another item",
        )
    if trouble.before is None and token.kind in ITEM_KINDS:
        close = "close the block with `}` first, or move the item out of it"
        return Diagnostic(
            codes.WRONG_LEVEL,
            f"{what} begins an item inside a block",
            Label(span, "items stand outside of all blocks"),
            help=f"{close}; answers for a cell are `answer NAME {{ … }}`" if token.kind == "CELL" else close,
        )
    if trouble.before is None and span.text in ARM_WORDS:
        return Diagnostic(
            codes.WRONG_LEVEL,
            f"{what} stands outside of a `case`",
            Label(span, "only in the block of a `case`"),
            help="write it into `case … { }`",
        )
    if trouble.before is None and token.kind == "ARCHDSL":
        return Diagnostic(
            codes.OUT_OF_PLACE,
            "the header stands on the first line only",
            Label(span, "a second header"),
            help="leave this line out",
        )
    if trouble.before is None or (trouble.before is trouble.first and trouble.first.kind == NAME):
        return _unknown_beginning(source, trouble, marks)
    if token.kind == "COMPARE":
        return Diagnostic(
            codes.OUT_OF_PLACE,
            f"{what} follows another comparison",
            _label(source, trouble, marks),
            help="compare twice, on lines of their own",
        )
    wanted = expected(trouble.able, marks)
    return Diagnostic(
        codes.OUT_OF_PLACE,
        f"{what} stands where {wanted} is expected",
        _label(source, trouble, marks),
        help=_write(wanted),
    )


def _unknown_beginning(source: SourceFile, trouble: Trouble, marks: Mapping[str, str]) -> Diagnostic:
    span = Span(source, trouble.first.start, trouble.first.stop)
    if trouble.in_block:
        kinds, help_ = "statement", "write `name = value`, or begin with `in`, `out`, `choose` or another keyword"
    else:
        kinds, help_ = "item", "begin with `use`, `op`, `ops`, `cell`, `space`, `cost`, `search`, `train` or `genotype`"
    return Diagnostic(
        codes.UNKNOWN_STATEMENT,
        f"`{brief(span.text)}` does not begin {'an' if kinds == 'item' else 'a'} {kinds}",
        _label(source, trouble, marks) if trouble.before is not None else Label(span, f"no {kinds} begins like this"),
        help=help_,
    )


def _write(wanted: str) -> str:
    return "end the line here" if wanted == "the end of the line" else f"write {wanted} here"


def _label(source: SourceFile, trouble: Trouble, marks: Mapping[str, str]) -> Label:
    return Label(Span(source, trouble.token.start, trouble.token.stop), f"expected {expected(trouble.able, marks)}")
