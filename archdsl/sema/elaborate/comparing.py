"""Numbers compared: `a < b` in a case, `min(a, b)`, `max(a, b)`; also numbers that answers decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Final, TypeAlias, cast

from archdsl.ops import Count, Dim
from archdsl.ops.dims import multiply, values, variable
from archdsl.sema import codes
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.arithmetic import ArithmeticMistake, Number, total
from archdsl.sema.elaborate.values import (
    NOTHING,
    Choice,
    Environment,
    Evaluator,
    Holds,
    Nothing,
    Poison,
    Value,
    describe,
)
from archdsl.space import Otherwise, Piecewise, Within, holds
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

Pick: TypeAlias = "Callable[[Number, Number], Number]"

_FAR: Final = 2**256
"""No number of a text is larger."""
_RANGES: Final = {
    "<": Within(-_FAR, -1),
    "<=": Within(-_FAR, 0),
    ">": Within(1, _FAR),
    ">=": Within(0, _FAR),
    "==": Within(0, 0),
    "!=": Within(0, 0),
}
"""For which differences of the two sides a comparison holds, `!=` for those that are not in it."""


def compare(ev: Evaluator, expr: ast.Compare, env: Environment) -> Value:
    """Whether a comparison holds: a flag, a flag for each answer, or where numbers decide it `Holds`."""
    return _compared(ev, expr, ev.value(expr.left, env), ev.value(expr.right, env))


def _compared(ev: Evaluator, expr: ast.Compare, left: Value, right: Value) -> Value:
    sides = ev.settle(left), ev.settle(right)
    for side in sides:
        match side:
            case Poison() | Nothing():
                return side
            case Choice(question, options):
                found = [(label, ev.assuming(question, label, _compared, ev, expr, *sides)) for label, _ in options]
                return Choice(question, tuple(found))
            case _:
                pass
    match sides:
        case (bool(), bool()) | (str(), str()) if expr.operator in ("==", "!="):
            return (sides[0] == sides[1]) == (expr.operator == "==")
        case (int() | Fraction() | Dim() as one, int() | Fraction() | Dim() as other) if all(map(_number, sides)):
            try:
                return _holds(_difference(one, other), expr.operator)
            except ArithmeticMistake as mistake:
                return ev.poison(codes.BAD_ARITHMETIC, mistake.reason, expr.span, "compared here", help=mistake.help)
        case _:
            wrong = next((at for at, side in enumerate(sides) if not _number(side)), 0)
            side = (expr.left, expr.right)[wrong]
            return ev.poison(
                codes.WRONG_KIND,
                f"numbers are compared, and `{unparse(side)}` is {describe(sides[wrong])}",
                side.span,
                "no number",
            )


def _number(value: Value) -> bool:
    return isinstance(value, int | Fraction | Dim) and not isinstance(value, bool)


def _holds(difference: Count, operator: str) -> Value:
    label, inside = _RANGES[operator], operator != "!="
    numbers = values(difference)
    if numbers is not None:
        found = {holds(label, int(number)) == inside for number in numbers}
        if len(found) == 1:
            return found.pop()
    return Holds(variable(Piecewise(difference, ((label, int(inside)), (Otherwise(), int(not inside))))))


def _difference(one: Number, other: Number) -> Count:
    """A whole number with the sign of `one - other`. Raises ArithmeticMistake."""
    denominators = (each.denominator for side in (one, other) for each in _coefficients(side))
    scale = lcm(*denominators)
    found = total([("+", _scaled(one, scale)), ("-", _scaled(other, scale))])
    assert not isinstance(found, Fraction)
    return found


def _coefficients(number: Number) -> Sequence[int | Fraction]:
    return [coefficient for _, coefficient in number.terms] if isinstance(number, Dim) else [number]


def _scaled(number: Number, scale: int) -> Count:
    return multiply(number, scale) if isinstance(number, Dim) else int(number * scale)


# min and max ------------------------------------------------------------------------------------


def least(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`min(a, b)`, `min({a, b, c})`."""
    return _extreme(ev, expr, env, _lesser)


def greatest(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`max(a, b)`, `max({a, b, c})`."""
    return _extreme(ev, expr, env, _greater)


def _extreme(ev: Evaluator, expr: ast.Call, env: Environment, pick: Pick) -> Value:
    name = expr.target.head.text
    named = next((argument for argument in expr.arguments if argument.name is not None), None)
    if named is not None or not expr.arguments:
        span = named.span if named is not None else expr.span
        return ev.poison(codes.WRONG_ARITY, f"`{name}` takes numbers", span, "here", help=f"write `{name}(a, b)`")
    numbers = [value for argument in expr.arguments for value in port_values(ev, argument, env)]
    return _picked(ev, expr, numbers, pick)


def _picked(ev: Evaluator, expr: ast.Call, numbers: list[Value], pick: Pick) -> Value:
    numbers = [ev.settle(number) for number in numbers]
    numbers = [number for number in numbers if not isinstance(number, Nothing)]
    if not numbers:
        return NOTHING
    for number in numbers:
        match number:
            case Poison():
                return number
            case Choice(question, options):
                found = [
                    (label, ev.assuming(question, label, _picked, ev, expr, numbers, pick)) for label, _ in options
                ]
                return Choice(question, tuple(found))
            case _ if not _number(number):
                return ev.poison(
                    codes.WRONG_KIND,
                    f"`{expr.target.head.text}` takes numbers, and one of these is {describe(number)}",
                    expr.span,
                    "here",
                )
            case _:
                pass
    try:
        return reduce(pick, cast("list[Number]", numbers))
    except ArithmeticMistake as mistake:
        return ev.poison(codes.BAD_ARITHMETIC, mistake.reason, expr.span, "here", help=mistake.help)


def _lesser(one: Number, other: Number) -> Number:
    return _by_sign(_difference(one, other), one, other)


def _greater(one: Number, other: Number) -> Number:
    return _by_sign(_difference(one, other), other, one)


def _by_sign(difference: Count, below: Number, above: Number) -> Number:
    """`below` where the difference is at most 0, else `above`."""
    at_most_0 = _holds(difference, "<=")
    if isinstance(at_most_0, bool):
        return below if at_most_0 else above
    if isinstance(below, Fraction) or isinstance(above, Fraction):
        raise ArithmeticMistake(
            "a fraction and a number that answers decide cannot be told apart", "round it: `floor(…)`"
        )
    return variable(Piecewise(difference, ((_RANGES["<="], below), (Otherwise(), above))))
