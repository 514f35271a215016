"""Single values in settings: numbers with their ranges, flags, words."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from math import inf
from typing import TypeVar

from archdsl.ops.model import LARGEST_FLOAT
from archdsl.sema import codes
from archdsl.sema.elaborate.arithmetic import ArithmeticMistake, Number, power, product, total
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.forms import Read, report_unknown
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

E = TypeVar("E", bound=StrEnum)
_Calculate = Callable[[list[tuple[str, Number]]], Number]


def exact(reporter: Reporter, expr: ast.Expr) -> Fraction | None:
    """A number, calculated: `1 / 2`, `3e-4`, `2 ^ 5`."""
    try:
        value = _calculate(expr)
    except ArithmeticMistake as mistake:
        reporter.report(codes.BAD_ARITHMETIC, mistake.reason, expr.span, "cannot be calculated", help=mistake.help)
        return None
    if value is None:
        reporter.report(
            codes.NOT_A_VALUE, f"`{spell(expr)}` is no number", expr.span, "a number is needed", help=_example(expr)
        )
        return None
    return value


def number(
    low: float = -inf, high: float = inf, *, above: float = -inf, below: float = inf, unit: str = ""
) -> Read[float]:
    """A number in a range: `low` and `high` included, `above` and `below` not."""

    def read(reporter: Reporter, expr: ast.Expr) -> float | None:
        value = exact(reporter, expr)
        if value is None:
            return None
        if not (low <= value <= high and above < value < below):
            _report_range(reporter, expr, _range(low, high, above, below), unit)
            return None
        if abs(value) > LARGEST_FLOAT:
            _report_range(reporter, expr, "at most 1e38", unit)
            return None
        return float(value)

    return read


def fraction(low: float = 0, high: float = 1) -> Read[Fraction]:
    """An exact share."""

    def read(reporter: Reporter, expr: ast.Expr) -> Fraction | None:
        value = exact(reporter, expr)
        if value is not None and not low <= value <= high:
            _report_range(reporter, expr, _range(low, high), "")
            return None
        return value

    return read


def whole(low: int = 1, high: int = 10**12) -> Read[int]:
    """A whole number in a range, both ends included."""

    def read(reporter: Reporter, expr: ast.Expr) -> int | None:
        value = exact(reporter, expr)
        if value is None:
            return None
        if value.denominator != 1:
            reporter.report(codes.NOT_A_VALUE, f"`{spell(expr)}` is no whole number", expr.span, "one is needed")
            return None
        if not low <= value <= high:
            _report_range(reporter, expr, _range(low, high if high < 10**12 else inf), "")
            return None
        return value.numerator

    return read


def flag(reporter: Reporter, expr: ast.Expr) -> bool | None:
    match expr:
        case ast.Path(head=ast.Name(text="yes" | "no" as text), parts=()):
            return text == "yes"
        case _:
            reporter.report(codes.NOT_A_VALUE, f"`{spell(expr)}` is no flag", expr.span, "`yes` or `no` is needed")
            return None


def word(kind: type[E], what: str) -> Read[E]:
    """One of the words of an enumeration."""

    def read(reporter: Reporter, expr: ast.Expr) -> E | None:
        match expr:
            case ast.Path(head=ast.Name(text=text), parts=()) if text in [member.value for member in kind]:
                return kind(text)
            case _:
                report_unknown(reporter, what, expr, [member.value for member in kind])
                return None

    return read


def name(what: str) -> Read[ast.Path]:
    """A name or a path; what it names is looked up by who asked for it."""

    def read(reporter: Reporter, expr: ast.Expr) -> ast.Path | None:
        if isinstance(expr, ast.Path):
            return expr
        reporter.report(codes.NOT_A_VALUE, f"`{spell(expr)}` is no name", expr.span, f"{what} is needed")
        return None

    return read


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
    known: list[tuple[str, Number]] = []
    for sign, value in parts:
        if value is None:
            return None
        known.append((sign, value.numerator if value.denominator == 1 else value))
    found = calculate(known)
    assert isinstance(found, int | Fraction)
    return Fraction(found)


def _range(low: float, high: float, above: float = -inf, below: float = inf) -> str:
    bottom = f"above {_shown(above)}" if above > -inf else f"at least {_shown(low)}" if low > -inf else ""
    top = f"below {_shown(below)}" if below < inf else f"at most {_shown(high)}" if high < inf else ""
    return " and ".join(each for each in (bottom, top) if each)


def _shown(bound: float) -> str:
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"


def _report_range(reporter: Reporter, expr: ast.Expr, allowed: str, unit: str) -> None:
    reporter.report(
        codes.OUT_OF_RANGE,
        f"`{spell(expr)}` is out of its range",
        expr.span,
        f"{allowed} {unit}".rstrip(),
    )


def _example(expr: ast.Expr) -> str | None:
    return "take the quotes off" if isinstance(expr, ast.String) else None
