"""Significant newlines: those between items and between the lines of a block."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from archdsl.syntax.tokens import (
    BEFORE_A_BLOCK,
    CLOSERS,
    COMMENT,
    ENDS_AN_OPERAND,
    NAME,
    NEWLINE,
    OPENERS,
    STRING,
    Token,
)

MAX_DEPTH: Final = 24
"""The largest nesting depth of brackets, signs and powers, within Python's recursion limit."""

ENDS_A_VALUE: Final = ENDS_AN_OPERAND | {"RBRACE"}
STARTS_A_VALUE: Final = frozenset({NAME, "INT", "FLOAT", "SHAPE", STRING})
ENDS_A_CHAIN: Final = frozenset({"PLUS", "STAR", "SLASH", "COMMA", "EQUAL", "COLON", "COMPARE", "_ARROW", NEWLINE})


def arrange(tokens: Iterable[Token]) -> list[Token] | None:
    """The tokens for the parser, without comments and insignificant newlines; None for unbalanced or deep brackets."""
    out: list[Token] = []
    add = out.append
    stack: list[tuple[str, bool, int]] = []
    in_block = True
    previous = NEWLINE
    chain = depth = stop = 0
    for token in tokens:
        kind = token.kind
        if kind == COMMENT:
            continue
        if kind == NEWLINE:
            if not in_block:
                continue
            chain, depth = 0, depth - chain
            if previous == NEWLINE:
                continue
            add(token)
        elif kind in OPENERS:
            opens_block = kind == "LBRACE" and previous in BEFORE_A_BLOCK
            stack.append((OPENERS[kind], in_block, chain))
            in_block, chain, depth = opens_block, 0, depth + 1
            if depth > MAX_DEPTH:
                return None
            add(token)
            if opens_block:
                kind = NEWLINE
                add(Token(NEWLINE, token.stop, token.stop))
        elif kind in CLOSERS:
            if not stack or stack[-1][0] != kind:
                return None
            if in_block and previous != NEWLINE:
                add(Token(NEWLINE, token.start, token.start))
            depth -= chain + 1
            _, in_block, chain = stack.pop()
            add(token)
        else:
            if kind == "CIRCUMFLEX" or (kind == "MINUS" and previous not in ENDS_A_VALUE):
                chain, depth = chain + 1, depth + 1
                if depth > MAX_DEPTH:
                    return None
            elif kind == "MINUS" or kind in ENDS_A_CHAIN:
                chain, depth = 0, depth - chain
            add(token)
        previous = kind
        stop = token.stop
    if stack:
        return None
    if previous != NEWLINE:
        add(Token(NEWLINE, stop, stop))
    return out
