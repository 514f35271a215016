"""Python expressions laid out as `ruff format` lays them out, and texts made harmless for source code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LINE_LENGTH = 120
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Name:
    """A name, a literal, or anything else that is never broken."""

    text: str


@dataclass(frozen=True, slots=True)
class Keyword:
    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Expr | Keyword, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple in its parentheses, or a dict in its braces."""

    items: tuple[Expr, ...]
    brackets: str = "()"


@dataclass(frozen=True, slots=True)
class Infix:
    """`a + b + c`."""

    operator: str
    operands: tuple[Expr, ...]


Expr: TypeAlias = "Name | Call | Items | Infix"


def flat(expression: Expr | Keyword) -> str:
    match expression:
        case Name(text):
            return text
        case Keyword(name, value):
            return f"{name}={flat(value)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(flat, arguments))})"
        case Items((only,), "()"):
            return f"({flat(only)},)"
        case Items(items, brackets):
            return f"{brackets[0]}{', '.join(map(flat, items))}{brackets[1]}"
        case Infix(operator, operands):
            return f" {operator} ".join(map(flat, operands))


def statement(head: str, expression: Expr, indent: int) -> list[str]:
    """`head expression`, for instance `x = f(y)` or `return y`, on as many lines as it needs."""
    return _lines(head, expression, "", indent)


def commented(head: str, expression: Expr, comment: str, indent: int) -> list[str]:
    """A statement with a comment behind it, or above where the line has no room for it."""
    lines = statement(head, expression, indent)
    if len(lines) == 1 and len(lines[0]) + len(comment) + 4 <= LINE_LENGTH:
        return [f"{lines[0]}  # {comment}"]
    return [f"{INDENT * indent}# {comment}", *lines]


def signature(name: str, parameters: Sequence[str], result: str, indent: int) -> list[str]:
    """`def name(parameters) -> result:`."""
    written: tuple[Expr, ...] = tuple(map(Name, parameters))
    return _lines("", Call(f"def {name}", written), f" -> {result}:", indent)


def _lines(head: str, expression: Expr | Keyword, tail: str, indent: int) -> list[str]:
    margin = INDENT * indent
    whole = f"{margin}{head}{flat(expression)}{tail}"
    if len(whole) <= LINE_LENGTH:
        return [whole]
    match expression:
        case Name():
            return [whole]
        case Keyword(name, Infix() as value):
            return [f"{margin}{head}{name}={flat(value)}{tail}"]
        case Keyword(name, value):
            return _lines(f"{head}{name}=", value, tail, indent)
        case Call(function, arguments):
            return [f"{margin}{head}{function}(", *_body(arguments, indent + 1), f"{margin}){tail}"]
        case Items(items, brackets):
            inner = [text for item in items for text in _lines("", item, ",", indent + 1)]
            return [f"{margin}{head}{brackets[0]}", *inner, f"{margin}{brackets[1]}{tail}"]
        case Infix(operator, operands):
            return [f"{margin}{head}(", *_operands(operator, operands, indent + 1), f"{margin}){tail}"]


def _body(arguments: Iterable[Expr | Keyword], indent: int) -> list[str]:
    """What stands between brackets: on one line where it fits, else one argument a line."""
    written = tuple(arguments)
    line = INDENT * indent + ", ".join(map(flat, written))
    if len(line) <= LINE_LENGTH:
        return [line]
    if len(written) == 1 and isinstance(written[0], Infix):
        return _operands(written[0].operator, written[0].operands, indent)
    return [text for argument in written for text in _lines("", argument, ",", indent)]


def _operands(operator: str, operands: tuple[Expr, ...], indent: int) -> list[str]:
    line = INDENT * indent + f" {operator} ".join(map(flat, operands))
    if len(line) <= LINE_LENGTH:
        return [line]
    first, *others = operands
    return [
        *_lines("", first, "", indent),
        *(text for operand in others for text in _lines(f"{operator} ", operand, "", indent)),
    ]


def literal(text: str) -> str:
    """A string literal, in double quotes where that needs no escape, as ruff writes it."""
    written = ascii(text)
    return f'"{written[1:-1]}"' if '"' not in text and "'" not in text else written


def prose(text: str) -> str:
    """A text for docstrings and comments: one line, printable ASCII, without quotes or backslashes."""
    return re.sub(r'[^\x20-\x7e]|["\\]', "?", text).strip()[:200]
