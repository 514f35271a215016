"""Numbers in settings: calculated exactly, and held against their range."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from archdsl.ops.model import LARGEST_FLOAT, SMALLEST_FLOAT
from archdsl.sema import codes
from archdsl.sema.elaborate.arithmetic import ArithmeticMistake, power, product, total
from archdsl.sema.elaborate.arithmetic import Number as Calculated
from archdsl.sema.reporter import Reporter
from archdsl.settings.schema import Number, Whole, allowed
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

_Calculate = Callable[[list[tuple[str, Calculated]]], Calculated]


def exact_number(reporter: Reporter, expr: ast.Expr) -> Fraction | None:
    """A number, calculated: `1 / 2`, `3e-4`, `2 ^ 5`. None where that has been reported to be wrong."""
    try:
        value = _calculate(expr)
    except ArithmeticMistake as mistake:
        reporter.report(codes.BAD_ARITHMETIC, mistake.reason, expr.span, "cannot be calculated", help=mistake.help)
        return None
    if value is None:
        help = "take the quotes off" if isinstance(expr, ast.String) else None
        reporter.report(
            codes.NOT_A_VALUE, f"`{unparse(expr)}` is no number", expr.span, "a number is needed", help=help
        )
    return value


def number(reporter: Reporter, kind: Number, expr: ast.Expr) -> float | None:
    """As a float. One that a float cannot tell from a bound is held against its range as that bound."""
    value = exact_number(reporter, expr)
    if value is None:
        return None
    if abs(value) > LARGEST_FLOAT:
        return _report_range(reporter, expr, "at most 1e38")
    if 0 < abs(value) < SMALLEST_FLOAT:
        return _report_range(reporter, expr, "no nearer to 0 than 1e-38")
    for each in (value, float(value)):
        if not (kind.low <= each <= kind.high and kind.above < each < kind.below):
            return _report_range(reporter, expr, allowed(kind))
    return float(value)


def share(reporter: Reporter, expr: ast.Expr) -> Fraction | None:
    value = exact_number(reporter, expr)
    if value is not None and not 0 <= value <= 1:
        return _report_range(reporter, expr, allowed(Number(0, 1)))
    return value


def whole(reporter: Reporter, kind: Whole, expr: ast.Expr) -> int | None:
    value = exact_number(reporter, expr)
    if value is None:
        return None
    if value.denominator != 1:
        reporter.report(codes.NOT_A_VALUE, f"`{unparse(expr)}` is no whole number", expr.span, "one is needed")
        return None
    if not kind.low <= value <= kind.high:
        return _report_range(reporter, expr, allowed(kind))
    return value.numerator


def _report_range(reporter: Reporter, expr: ast.Expr, allowed: str) -> None:
    reporter.report(codes.OUT_OF_RANGE, f"`{unparse(expr)}` is out of its range", expr.span, allowed)


def _calculate(expr: ast.Expr) -> Fraction | None:
    match expr:
        case ast.Number(value=value):
            return Fraction(value)
        case ast.Negate(value=inner):
            value = _calculate(inner)
            return None if value is None else -value
        case ast.Add(terms=terms):
            parts = [(sign, _calculate(term)) for sign, term in terms]
            return _result(parts, total)
        case ast.Multiply(factors=factors):
            parts = [(sign, _calculate(factor)) for sign, factor in factors]
            return _result(parts, product)
        case ast.Power(base=base, exponent=exponent):
            pair = [("", _calculate(base)), ("", _calculate(exponent))]
            return _result(pair, lambda both: power(both[0][1], both[1][1]))
        case _:
            return None


def _result(parts: list[tuple[str, Fraction | None]], calculate: _Calculate) -> Fraction | None:
    known: list[tuple[str, Calculated]] = []
    for sign, value in parts:
        if value is None:
            return None
        known.append((sign, value.numerator if value.denominator == 1 else value))
    found = calculate(known)
    assert isinstance(found, int | Fraction)
    return Fraction(found)
