"""Unparse: from expressions of the AST to their canonical text."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from typing import assert_never

from archdsl.syntax import ast


class Level(IntEnum):
    """Operator precedence, from the lowest."""

    TUPLE = 0
    COMPARE = 1
    ADD = 2
    PIPE = 3
    MULTIPLY = 4
    UNARY = 5
    POWER = 6
    ATOM = 7


def unparse(expression: ast.Expr) -> str:
    """`dil_conv3x3(d = 4)`, `trunk[10][8].down`, `8 * w`; on one line but for cases.

    Raises ValueError for a number that no decimal is equal to; a text has none.
    """
    return unparse_within(expression, Level.TUPLE)


def unparse_within(node: ast.Expr, level: Level) -> str:
    """The expression as an operand at a precedence level: in parentheses where its own level is lower."""
    own, text = _written(node)
    return f"({text})" if own < level else text


def _written(node: ast.Expr) -> tuple[Level, str]:
    match node:
        case ast.Number():
            return Level.ATOM, unparse_number(node.value)
        case ast.Shape():
            return Level.ATOM, "x".join(map(str, node.dims))
        case ast.String():
            return Level.ATOM, f'"{node.value}"'
        case ast.Path():
            return Level.ATOM, unparse_path(node)
        case ast.Tag():
            return Level.ATOM, f"@{node.name.text if node.name is not None else 'each'}"
        case ast.Call():
            return Level.ATOM, unparse_path(node.target) + unparse_arguments(node.arguments)
        case ast.Set():
            return Level.ATOM, f"{{{', '.join(unparse_within(item, Level.ADD) for item in node.items)}}}"
        case ast.Range():
            return Level.ATOM, f"{_bound(node.low)}..{_bound(node.high)}"
        case ast.Case():
            return Level.ATOM, _case(node)
        case ast.Power():
            base = unparse_within(node.base, Level.ATOM)
            return Level.POWER, f"{base} ^ {unparse_within(node.exponent, Level.UNARY)}"
        case ast.Negate():
            return Level.UNARY, f"-{unparse_within(node.value, Level.UNARY)}"
        case ast.Multiply():
            return Level.MULTIPLY, _chain(node.factors, Level.UNARY)
        case ast.Pipe():
            parts = [
                unparse_within(node.head, Level.MULTIPLY),
                *(unparse_within(step, Level.ATOM) for step in node.steps),
            ]
            return Level.PIPE, " -> ".join(parts)
        case ast.Add():
            return Level.ADD, _chain(node.terms, Level.PIPE)
        case ast.Compare():
            sides = (unparse_within(node.left, Level.ADD), unparse_within(node.right, Level.ADD))
            return Level.COMPARE, f" {node.operator} ".join(sides)
        case ast.Tuple():
            return Level.TUPLE, ", ".join(unparse_within(item, Level.COMPARE) for item in node.items)
        case _:
            assert_never(node)


def _chain(parts: Sequence[tuple[str, ast.Expr]], level: Level) -> str:
    first, *rest = parts
    return unparse_within(first[1], level) + "".join(f" {sign} {unparse_within(part, level)}" for sign, part in rest)


def unparse_number(value: int | Fraction) -> str:
    if isinstance(value, int):
        return str(value)
    digits, places = value.numerator, 0
    denominator = value.denominator
    while denominator % 10 == 0:
        denominator //= 10
        places += 1
    while denominator != 1:
        factor = 5 if denominator % 2 == 0 else 2
        if denominator % (10 // factor):
            raise ValueError(f"{value} has no end as a decimal")
        digits *= factor
        denominator //= 10 // factor
        places += 1
    text = str(digits).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}" if places else f"{text}.0"


def _bound(node: ast.Expr) -> str:
    text = unparse_within(node, Level.COMPARE)
    return text if isinstance(node, ast.Number | ast.Path) else f"({text})"


def _case(node: ast.Case) -> str:
    subject = unparse_within(node.subject, Level.COMPARE)  # commas would end the case where it stands in brackets
    if subject.endswith("}"):
        subject = f"({subject})"  # a `{` after a `}` would open a set
    arms = "\n".join(_arm(arm) for arm in node.arms)
    return f"case {subject} {{\n{arms}\n}}"


def _arm(arm: ast.When) -> str:
    value = unparse_within(arm.value, Level.TUPLE)
    return f"else: {value}" if arm.pattern is None else f"when {unparse_within(arm.pattern, Level.TUPLE)}: {value}"


def unparse_path(path: ast.Path) -> str:
    return path.head.text + "".join(_path_part(part) for part in path.parts)


def _path_part(part: ast.Index | ast.Attribute) -> str:
    match part:
        case ast.Index():
            return f"[{unparse_within(part.value, Level.ADD)}]"
        case ast.Attribute():
            return f".{part.name}"


def unparse_arguments(arguments: Sequence[ast.Argument]) -> str:
    return f"({', '.join(_argument(argument) for argument in arguments)})"


def _argument(argument: ast.Argument) -> str:
    value = unparse_within(argument.value, Level.COMPARE)
    if isinstance(argument.value, ast.Tag) and argument.name is not None:
        return f"{argument.name.text}{value}"
    if argument.name is not None:
        return f"{argument.name.text} = {value}"
    if argument.within is not None:
        return f"{value} in {unparse_within(argument.within, Level.ADD)}"
    if argument.bound is not None and argument.over is not None:
        return f"{value} for {argument.bound.text} in {unparse_within(argument.over, Level.ADD)}"
    return value
