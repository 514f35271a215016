"""Spellings of other languages: reported, and replaced by the tokens of this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from archdsl.diagnostics import Diagnostic, Fix, Label
from archdsl.syntax import codes
from archdsl.syntax.token_names import brief
from archdsl.syntax.tokens import FOREIGN, NAME, NEWLINE, OPEN_STRING, STRING, UNKNOWN, Token
from archdsl.text import SourceFile, Span, TextEdit

_MEANT: Final = {
    "**": ("CIRCUMFLEX", "^"),
    "=>": ("_ARROW", "->"),
    "→": ("_ARROW", "->"),
    "⇒": ("_ARROW", "->"),
    "≤": ("COMPARE", "<="),
    "≥": ("COMPARE", ">="),
    "≠": ("COMPARE", "!="),
    "×": ("STAR", "*"),
    "·": ("STAR", "*"),
    "⋅": ("STAR", "*"),
    "−": ("MINUS", "-"),
    "–": ("MINUS", "-"),
    "—": ("MINUS", "-"),
    "…": ("_DOTS", ".."),
}
_SHOWN: Final = 12
_WORDS: Final = {"true": "yes", "false": "no"}


@dataclass(slots=True)
class Mended:
    """Tokens of the grammar, and the intended spelling by offset."""

    tokens: list[Token] = field(default_factory=list[Token])
    respelled: dict[int, str] = field(default_factory=dict[int, str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])


def mend(source: SourceFile, tokens: Sequence[Token]) -> Mended:
    """Replace all tokens that the grammar does not have, with a diagnostic each."""
    mended = Mended()
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind == FOREIGN:
            ends_line = at == len(tokens) or tokens[at].kind in (NEWLINE, "COMMENT")
            _foreign(source, token, mended, ends_line=ends_line)
        elif token.kind == OPEN_STRING:
            _open_string(source, token, mended)
        elif token.kind == UNKNOWN:
            at = _unknown(source, tokens, at, mended)
        else:
            mended.tokens.append(token)
    return mended


def _foreign(source: SourceFile, token: Token, mended: Mended, *, ends_line: bool) -> None:
    span = Span(source, token.start, token.stop)
    text = span.text
    if text in _MEANT:
        kind, meant = _MEANT[text]
        _reads_as(span, meant, mended)
        mended.tokens.append(Token(kind, token.start, token.stop))
    elif text.lower() in _WORDS:
        _reads_as(span, _WORDS[text.lower()], mended)
        mended.tokens.append(Token(NAME, token.start, token.stop))
    elif text == ";":
        _semicolon(span, token, mended, ends_line=ends_line)
    elif text == "\u00a0":
        _report(mended, span, "a space that is not a plain one", "looks like a space", "write a plain space", " ")
    elif text.startswith("//"):
        slashes = Span(source, token.start, token.start + 2)
        _report(mended, slashes, "a comment begins with `#`, not `//`", "`#` here", "write `#`", "#")
    elif text.startswith("/*"):
        _report(mended, span, "a comment begins with `#`, not `/*`", "not a comment", "begin each line with `#`", None)
    else:
        quoted = text[1:-1] if len(text) > 1 and text[-1] in "'“”\"" else text[1:]
        mended.respelled[token.start] = f'"{quoted}"'
        mended.tokens.append(Token(STRING, token.start, token.stop))
        _report(
            mended,
            span,
            'a string stands between `"` and `"`',
            "other quotation marks here",
            f'write `"{brief(quoted)}"`',
            None if '"' in quoted else f'"{quoted}"',
        )


def _reads_as(span: Span, meant: str, mended: Mended) -> None:
    mended.respelled[span.start] = meant
    title = f"`{span.text}` is written `{meant}` in archdsl"
    _report(mended, span, title, f"`{meant}` here", f"write `{meant}`", meant)


def _semicolon(span: Span, token: Token, mended: Mended, *, ends_line: bool) -> None:
    if ends_line:
        _report(mended, span, "a line ends without `;`", "nothing stands here", "leave the `;` out", "")
        return
    mended.tokens.append(Token(NEWLINE, token.start, token.stop))
    title = "each statement has a line of its own, without `;`"
    _report(mended, span, title, "a new line begins here", "begin a new line instead of the `;`", None)


def _open_string(source: SourceFile, token: Token, mended: Mended) -> None:
    text = source.text[token.start : token.stop].rstrip()
    stop = token.start + len(text)
    mended.respelled[token.start] = text + '"'
    mended.tokens.append(Token(STRING, token.start, stop))
    end = Span(source, stop, stop)
    mended.diagnostics.append(
        Diagnostic(
            codes.STRING_NOT_CLOSED,
            "a string is not closed on its line",
            Label(Span(source, token.start, stop), 'no second `"` on this line'),
            help='write `"` where the string ends',
            fix=Fix('add `"`', (TextEdit(end, '"'),)),
        )
    )


def _unknown(source: SourceFile, tokens: Sequence[Token], at: int, mended: Mended) -> int:
    first = last = tokens[at - 1]
    if _is_letter(source, first):
        if mended.tokens and mended.tokens[-1].stop == first.start and _is_word(source, mended.tokens[-1]):
            first = mended.tokens.pop()
        while at < len(tokens) and tokens[at].start == last.stop and _is_letter(source, tokens[at]):
            last = tokens[at]
            at += 1
        span = Span(source, first.start, last.stop)
        mended.tokens.append(Token(NAME, first.start, last.stop))
        help_ = "write the name with the letters a to z, digits and `_`"
        title = f"`{brief(span.text)}` has letters that names cannot have"
        _unknown_report(mended, span, title, "only the letters a to z, digits and `_`", help_)
        return at
    while at < len(tokens) and tokens[at].kind == UNKNOWN and tokens[at].start == last.stop:
        if _is_letter(source, tokens[at]):
            break
        last = tokens[at]
        at += 1
    span = Span(source, first.start, last.stop)
    title = f"`{_visible(span.text)}` means nothing in archdsl"
    _unknown_report(mended, span, title, "not part of the language", "leave it out")
    return at


def _unknown_report(mended: Mended, span: Span, title: str, label: str, help_: str) -> None:
    mended.diagnostics.append(Diagnostic(codes.UNKNOWN_CHARACTER, title, Label(span, label), help=help_))


def _report(mended: Mended, span: Span, title: str, label: str, help_: str, replacement: str | None) -> None:
    fix = None if replacement is None else Fix(help_, (TextEdit(span, replacement),), certain=True)
    mended.diagnostics.append(Diagnostic(codes.SPELLED_DIFFERENTLY, title, Label(span, label), help=help_, fix=fix))


def _is_word(source: SourceFile, token: Token) -> bool:
    return source.text[token.start : token.stop].isidentifier()


def _is_letter(source: SourceFile, token: Token) -> bool:
    """Whether a token can go on with a name that began outside ASCII."""
    text = source.text[token.start : token.stop]
    return text.isalpha() if token.kind == UNKNOWN else f"_{text}".isidentifier()


def _visible(text: str) -> str:
    shown = "".join(c if c.isprintable() and c != "`" else f"U+{ord(c):04X}" for c in text[:_SHOWN])
    return shown + ("…" if len(text) > _SHOWN else "")
