"""Sums, differences, products and quotients in which maps stand, beside numbers or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from archdsl.ops import Dim, Primitive
from archdsl.ops.arithmetic import AFFINE, DIVIDE
from archdsl.ops.joining import ADD, MULTIPLY
from archdsl.sema import codes
from archdsl.sema.elaborate import calls
from archdsl.sema.elaborate.values import (
    NOTHING,
    Callee,
    Choice,
    Environment,
    Evaluator,
    Map,
    Nothing,
    Poison,
    Value,
    describe,
)
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

Operand: TypeAlias = "tuple[str, Value, ast.Expr]"
"""The operator before it, what it is, and how it is written."""
_NUMBERS = (int, Fraction, Dim, Choice, Poison)
Calculate: TypeAlias = "Callable[[list[Operand]], Value]"
"""The sum, or the product, of numbers."""


def is_map(value: Value) -> bool:
    return isinstance(value, Map) or (isinstance(value, Choice) and is_map(value.options[0][1]))


def total(ev: Evaluator, terms: Sequence[Operand], numbers: Calculate, env: Environment, span: Span) -> Value:
    """`a + b`, `a - b`, `x + 1`, `1 - x`: maps are added, of which some are times -1, and then a number."""
    terms = [(sign, ev.settle(value), expr) for sign, value, expr in terms]
    maps = [(sign, value) for sign, value, _ in terms if is_map(value)]
    plus = _number(ev, numbers, [term for term in terms if not is_map(term[1]) and not isinstance(term[1], Nothing)], 0)
    if isinstance(plus, Poison):
        return plus
    if len(maps) == 1:
        ((sign, value),) = maps
        return _affine(ev, value, 1 if sign == "+" else -1, plus, env, span)
    added = [value if sign == "+" else _affine(ev, value, -1, 0, env, span) for sign, value in maps]
    return _affine(ev, _joined(ev, ADD, added, env, span), 1, plus, env, span)


def product(ev: Evaluator, factors: Sequence[Operand], numbers: Calculate, env: Environment, span: Span) -> Value:
    """`2 * x`, `x * gate`, `x / 2`, `a / b`: maps are multiplied, then divided, and the result is times a number."""
    factors = [(operator, ev.settle(value), expr) for operator, value, expr in factors]
    if any(isinstance(value, Nothing) for _, value, _ in factors):
        return NOTHING
    over = [value for operator, value, _ in factors if operator == "/" and is_map(value)]
    maps = [value for operator, value, _ in factors if operator == "*" and is_map(value)]
    times = _number(ev, numbers, [factor for factor in factors if not is_map(factor[1])], 1)
    if isinstance(times, Poison):
        return times
    if not maps:
        return ev.poison(
            codes.WRONG_KIND, "a number is divided by a map", span, "a map is needed over a map", help="write `x / y`"
        )
    found = _joined(ev, MULTIPLY, maps, env, span)
    for value in over:
        found = _joined(ev, DIVIDE, [found, value], env, span)
    return _affine(ev, found, times, 0, env, span)


def negative(ev: Evaluator, value: Value, env: Environment, span: Span) -> Value:
    """`-x`."""
    return _affine(ev, value, -1, 0, env, span)


def _number(ev: Evaluator, numbers: Calculate, operands: list[Operand], none: int) -> Value:
    """What the operands that are no maps come to; `none` where there are none."""
    for _, value, expr in operands:
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            return ev.poison(
                codes.WRONG_KIND,
                f"a map or a number is needed, and `{unparse(expr)}` is {describe(value)}",
                expr.span,
                "neither",
                help=f"carry a map through it: `x -> {unparse(expr)}`" if isinstance(value, Callee) else None,
            )
    return numbers(operands) if operands else none


def _joined(ev: Evaluator, primitive: Primitive, maps: list[Value], env: Environment, span: Span) -> Value:
    if len(maps) == 1:
        return maps[0]
    return calls.invoke(ev, Callee(primitive, env.unit, primitive.name), maps, {}, env, span)


def _affine(ev: Evaluator, value: Value, times: Value, plus: Value, env: Environment, span: Span) -> Value:
    """`times * value + plus`, as little of it as makes a difference."""
    given = {name: number for name, number, none in (("times", times, 1), ("plus", plus, 0)) if number != none}
    if not given:
        return value
    return calls.invoke(ev, Callee(AFFINE, env.unit, AFFINE.name), [value], given, env, span)
