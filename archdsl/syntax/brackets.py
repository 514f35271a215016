"""Unbalanced brackets: reported, and repaired as probably intended.

Four signs tell where a bracket that was never closed should have been: a keyword that begins an item or a
statement, two values side by side across a newline, a block's `{` that no `case` asked for, and a `}` that
stands as far left as an outer block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from archdsl.diagnostics import Diagnostic, Fix, Label
from archdsl.syntax import codes
from archdsl.syntax.layout import ENDS_A_CHAIN, ENDS_A_VALUE, MAX_DEPTH, STARTS_A_VALUE
from archdsl.syntax.token_names import ITEM_KINDS
from archdsl.syntax.tokens import BEFORE_A_BLOCK, CLOSERS, COMMENT, NAME, NEWLINE, OPENERS, STRING, Token
from archdsl.text import SourceFile, Span, TextEdit

_LINE_KINDS: Final = frozenset(
    {"OUT", "CHOOSE", "EACH", "BRANCHES", "PHASE", "ANSWER", "WHEN", "ELSE", "START", "SCALES"}
)
_SIGNS: Final = {"RPAR": ")", "RSQB": "]", "RBRACE": "}", "LPAR": "(", "LSQB": "[", "LBRACE": "{"}


@dataclass(slots=True)
class _Open:
    """An open bracket; `cases` counts the `case`s in it that have no block yet."""

    token: Token
    block: bool
    indent: int
    last_on_line: bool
    cases: int = 0
    chain: int = 0


@dataclass(slots=True)
class Paired:
    tokens: list[Token] = field(default_factory=list[Token])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])


def pair(source: SourceFile, tokens: Sequence[Token]) -> Paired:
    """Tokens with balanced brackets, nested at most MAX_DEPTH deep."""
    return _Pairing(source, [token for token in tokens if token.kind != COMMENT]).run()


class _Pairing:
    def __init__(self, source: SourceFile, tokens: list[Token]) -> None:
        self._source = source
        self._tokens = tokens
        self._paired = Paired()
        self._out = self._paired.tokens
        self._stack: list[_Open] = []
        self._at = 0
        self._chain = 0
        self._depth = 0
        self._said_deep = False
        kinds = [token.kind for token in tokens]
        self._missing_ends = kinds.count("LBRACE") > kinds.count("RBRACE")
        self._surplus_ends = kinds.count("RBRACE") - kinds.count("LBRACE")

    def run(self) -> Paired:
        indent = 0
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == NEWLINE:
                self._out.append(token)
                continue
            if self._begins_line():
                indent = self._source.position(token.start).column
                self._line_begins(token, indent)
            self._take(token, indent)
        while self._stack:
            self._close_unclosed()
        return self._paired

    def _begins_line(self) -> bool:
        return self._at == 1 or self._tokens[self._at - 2].kind == NEWLINE

    def _previous(self) -> str:
        """The kind of the previous token, ignoring newlines in brackets."""
        skip = bool(self._stack) and not self._stack[-1].block
        for token in reversed(self._out):
            if token.kind != NEWLINE or not skip:
                return token.kind
        return NEWLINE

    def _line_begins(self, token: Token, indent: int) -> None:
        if not self._stack:
            return
        if token.kind in ITEM_KINDS and self._next_kind() in (NAME, STRING):
            while self._stack:
                self._close_unclosed()
            return
        top = self._stack[-1]
        if not top.block:
            side_by_side = self._previous() in ENDS_A_VALUE and token.kind in STARTS_A_VALUE and not top.last_on_line
            if token.kind in _LINE_KINDS or side_by_side:
                self._close_to_block()
        elif token.kind == "RBRACE" and self._missing_ends and self._ends_an_outer(indent):
            self._close_unclosed()

    def _ends_an_outer(self, indent: int) -> bool:
        """Whether a `}` so far left ends an outer block instead of the innermost."""
        further = self._stack[-1].indent > indent
        return further and any(open_.block and open_.indent == indent for open_ in self._stack)

    def _next_kind(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else NEWLINE

    def _take(self, token: Token, indent: int) -> None:
        kind = token.kind
        if kind in OPENERS:
            self._open(token, indent)
        elif kind in CLOSERS:
            self._close(token)
        else:
            self._plain(token)

    def _plain(self, token: Token) -> None:
        kind = token.kind
        if kind == "CASE" and self._stack:
            self._stack[-1].cases += 1
        unary = kind == "MINUS" and self._previous() not in ENDS_A_VALUE
        if kind == "CIRCUMFLEX" or unary:
            if self._depth >= MAX_DEPTH:
                self._too_deep(token)
                if not unary:
                    self._out.append(Token("STAR", token.start, token.stop))
                return
            self._chain += 1
            self._depth += 1
        elif kind == "MINUS" or kind in ENDS_A_CHAIN:
            self._end_chain()
        self._out.append(token)

    def _end_chain(self) -> None:
        self._depth -= self._chain
        self._chain = 0

    def _open(self, token: Token, indent: int) -> None:
        block = token.kind == "LBRACE" and self._previous() in BEFORE_A_BLOCK
        if block:
            while self._stack and not self._stack[-1].block and not self._stack[-1].cases:
                self._close_unclosed(before=True)
            if self._stack and self._stack[-1].cases:
                self._stack[-1].cases -= 1
            if not self._stack or self._stack[-1].block:
                self._end_chain()
        if self._depth >= MAX_DEPTH:
            self._too_deep(token)
            self._skip_group(token)
            return
        last_on_line = self._next_kind() == NEWLINE
        self._stack.append(_Open(token, block, indent, last_on_line, chain=self._chain))
        self._chain = 0
        self._depth += 1
        self._out.append(token)

    def _pop(self) -> _Open:
        top = self._stack.pop()
        self._depth -= self._chain + 1
        self._chain = top.chain
        return top

    def _close(self, token: Token) -> None:
        opener = CLOSERS[token.kind]
        reach = self._reach(opener)
        if reach is None:
            if token.kind != "RBRACE" and self._stack and not self._stack[-1].block:
                self._close_otherwise(token)
            else:
                self._stray(token)
            return
        ends_block = token.kind == "RBRACE" and self._stack[-1 - reach].block
        if ends_block and not self._begins_line() and (reach > 0 or self._surplus_ends > 0):
            self._stray(token)
            return
        if len(self._stack) == 1 and self._surplus_ends > 0 and self._goes_on():
            self._surplus_ends -= 1
            self._stray(token)
            return
        for _ in range(reach):
            self._close_unclosed(before=True)
        self._pop()
        self._out.append(token)

    def _reach(self, opener: str) -> int | None:
        """How many brackets lie inside the one that a closer ends; a `)` or `]` does not reach out of a block."""
        for distance, open_ in enumerate(reversed(self._stack)):
            if open_.token.kind == opener:
                return distance
            if open_.block:
                return None
        return None

    def _goes_on(self) -> bool:
        """Whether a block's lines go on behind a `}` that would end the item."""
        rest = self._at
        while rest < len(self._tokens) and self._tokens[rest].kind == NEWLINE:
            rest += 1
        return rest < len(self._tokens) and self._tokens[rest].kind not in ITEM_KINDS and self._stack[0].block

    def _stray(self, token: Token) -> None:
        span = Span(self._source, token.start, token.stop)
        if token.kind == "RBRACE":
            self._surplus_ends -= 1
        self._report(
            codes.CLOSES_NOTHING,
            f"`{span.text}` closes nothing",
            Label(span, "no bracket is open here that it could close"),
            help_=f"leave the `{span.text}` out, or open a bracket before it",
            fix=Fix(f"leave the `{span.text}` out", (TextEdit(span, ""),)),
        )

    def _close_otherwise(self, token: Token) -> None:
        top = self._pop()
        closer = OPENERS[top.token.kind]
        span = Span(self._source, token.start, token.stop)
        meant = _SIGNS[closer]
        self._out.append(Token(closer, token.start, token.stop))
        self._report(
            codes.CLOSES_NOTHING,
            f"`{_SIGNS[top.token.kind]}` is closed by `{span.text}`",
            Label(span, f"`{meant}` belongs here"),
            secondary=Label(Span(self._source, top.token.start, top.token.stop), "opened here"),
            help_=f"write `{meant}`",
            fix=Fix(f"write `{meant}`", (TextEdit(span, meant),)),
        )

    def _close_to_block(self) -> None:
        while self._stack and not self._stack[-1].block:
            self._close_unclosed(before=True)

    def _close_unclosed(self, *, before: bool = False) -> None:
        """Close the innermost bracket: a block where we are, another one before the newlines that precede."""
        top = self._pop()
        closer = OPENERS[top.token.kind]
        at = len(self._out)
        while at and self._out[at - 1].kind == NEWLINE and (before or not top.block):
            at -= 1
        place = self._out[at - 1].stop
        self._out.insert(at, Token(closer, place, place))
        if top.block and not before:
            self._out.append(Token(NEWLINE, place, place))
        sign, end = _SIGNS[top.token.kind], _SIGNS[closer]
        inserted = f"\n{' ' * (top.indent - 1)}{end}" if top.block else end
        self._report(
            codes.NOT_CLOSED,
            f"`{sign}` is not closed",
            Label(Span(self._source, top.token.start, top.token.stop), f"no `{end}` belongs to it"),
            help_=f"write `{end}` {'on a line of its own ' if top.block else ''}where it ends",
            fix=Fix(f"add `{end}`", (TextEdit(Span(self._source, place, place), inserted),)),
        )

    def _too_deep(self, token: Token) -> None:
        if self._said_deep:
            return
        self._said_deep = True
        self._report(
            codes.TOO_DEEP,
            f"an expression is nested more than {MAX_DEPTH} levels deep",
            Label(Span(self._source, token.start, token.stop), f"level {MAX_DEPTH + 1} begins here"),
            help_="name a part of it on a line of its own, and use the name",
        )

    def _skip_group(self, opener: Token) -> None:
        """Leave out a bracket with all that is in it, and stand a name in its place where a value is wanted."""
        level = 1
        while level and self._at < len(self._tokens):
            token = self._tokens[self._at]
            if self._at and self._tokens[self._at - 1].kind == NEWLINE and token.kind in ITEM_KINDS:
                break
            level += (token.kind in OPENERS) - (token.kind in CLOSERS)
            self._at += 1
        if self._previous() not in ENDS_A_VALUE:
            self._out.append(Token(NAME, opener.start, opener.start))

    def _report(
        self,
        code: str,
        message: str,
        primary: Label,
        *,
        secondary: Label | None = None,
        help_: str,
        fix: Fix | None = None,
    ) -> None:
        others = () if secondary is None else (secondary,)
        self._paired.diagnostics.append(Diagnostic(code, message, primary, others, help=help_, fix=fix))
