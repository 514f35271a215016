"""Numbers rounded: `floor(n)`, `ceil(n)`, and `divisible(n, by = 8)`, a channel count as MobileNets have it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import ceil, floor, lcm
from typing import TypeAlias

from archdsl.ops import Dim
from archdsl.ops.dims import multiply, values, variable
from archdsl.sema import codes
from archdsl.sema.elaborate.values import Choice, Environment, Evaluator, Nothing, Poison, Value, describe
from archdsl.space import Piecewise, Within
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

Round: TypeAlias = "Callable[[Fraction], int]"


def rounded_down(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`floor(n)`: the greatest whole number that is not above `n`."""
    return _whole(ev, expr, env, floor)


def rounded_up(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`ceil(n)`: the least whole number that is not below `n`."""
    return _whole(ev, expr, env, ceil)


def _whole(ev: Evaluator, expr: ast.Call, env: Environment, rounded: Round) -> Value:
    name = expr.target.head.text
    if len(expr.arguments) != 1 or expr.arguments[0].name is not None:
        return ev.poison(
            codes.WRONG_ARITY, f"`{name}` takes one number", expr.span, "here", help=f"write `{name}(n / 2)`"
        )
    number = expr.arguments[0].value
    return _rounded(ev, ev.value(number, env), rounded, number)


def divisible(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """The multiple of `by` nearest to a number, at least one, and never less than nine tenths of the number.

    The rule of MobileNetV2's published code, which its successors keep.
    """
    given: dict[str, ast.Expr] = {}
    for argument in expr.arguments:
        given.setdefault(argument.name.text if argument.name else "n", argument.value)
    if given.keys() != {"n", "by"} or len(expr.arguments) != 2:
        return ev.poison(
            codes.WRONG_ARITY,
            "`divisible` takes a number and what is to divide it",
            expr.span,
            "here",
            help="write `divisible(n, by = 8)`",
        )
    by = ev.value(given["by"], env)
    if isinstance(by, bool) or not isinstance(by, int) or by < 1:
        if isinstance(by, Poison):
            return by
        return ev.poison(
            codes.WRONG_KIND,
            f"`divisible` takes a whole number above 0 as `by`, and `{unparse(given['by'])}` is none",
            given["by"].span,
            "here",
        )
    return _rounded(ev, ev.value(given["n"], env), partial(nearest, by=by), given["n"])


def _rounded(ev: Evaluator, value: Value, rounded: Round, expr: ast.Expr) -> Value:
    match ev.settle(value):
        case Poison() | Nothing() as same:
            return same
        case Choice(question, options):
            found = tuple(
                (label, ev.assuming(question, label, _rounded, ev, option, rounded, expr)) for label, option in options
            )
            return Choice(question, found)
        case int() | Fraction() as number if not isinstance(number, bool):
            return rounded(Fraction(number))
        case Dim() as count:
            return _of_answers(ev, count, rounded, expr)
        case other:
            return ev.poison(
                codes.WRONG_KIND,
                f"a number is needed, and `{unparse(expr)}` is {describe(other)}",
                expr.span,
                "no number",
            )


def _of_answers(ev: Evaluator, count: Dim, rounded: Round, expr: ast.Expr) -> Value:
    """A case on each value that the count can take."""
    numbers = values(count)
    if numbers is None:
        return ev.poison(
            codes.BAD_ARITHMETIC, f"`{unparse(expr)}` can take too many values to list", expr.span, "rounded here"
        )
    scale = lcm(*(number.denominator for number in numbers))
    arms = tuple((Within(int(n * scale), int(n * scale)), rounded(Fraction(n))) for n in sorted(numbers))
    return variable(Piecewise(multiply(count, scale), arms))


def nearest(number: Fraction, by: int) -> int:
    """`number` as a multiple of `by`."""
    multiple = max(by, int(number + Fraction(by, 2)) // by * by)
    return multiple + by if multiple < Fraction(9, 10) * number else multiple
