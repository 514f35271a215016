"""Numbers in texts: whole numbers, fractions, and counts that answers decide."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import isqrt, sqrt
from typing import TypeAlias

from archdsl.ops import Dim
from archdsl.ops.dims import add, divide, multiply

Number: TypeAlias = "int | Fraction | Dim"

_BITS = 256
"""No number in a network is longer; a power could make one that fills the memory."""


class ArithmeticMistake(Exception):
    """What is wrong with a calculation, as the end of a message, and what to do."""

    def __init__(self, reason: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help


def total(terms: Iterable[tuple[str, Number]]) -> Number:
    """`a + b - c`. Raises ArithmeticMistake."""
    result: Number = 0
    for sign, term in terms:
        result = _bounded(_add(result, term if sign == "+" else _times(term, -1)))
    return result


def product(factors: Iterable[tuple[str, Number]]) -> Number:
    """`a * b / c`. Raises ArithmeticMistake."""
    result: Number = 1
    for operator, factor in factors:
        result = _bounded(_times(result, factor) if operator == "*" else _over(result, factor))
    return result


def power(base: Number, exponent: Number) -> Number:
    """`a ^ b`, also for halves: `d ^ (-1 / 2)`. Raises ArithmeticMistake."""
    if isinstance(base, Dim) or isinstance(exponent, Dim) or exponent.denominator > 2:
        raise ArithmeticMistake("only a number can be raised, to a whole number or to halves")
    if exponent.denominator == 2:
        base, exponent = _root(Fraction(base)), exponent.numerator
    if base == 0 and exponent < 0:
        raise ArithmeticMistake("zero cannot be raised to a negative number")
    if abs(exponent) * max(Fraction(base).numerator.bit_length(), Fraction(base).denominator.bit_length()) > _BITS:
        raise ArithmeticMistake("the result is too large", "no size in a network needs more than 77 digits")
    return whole(Fraction(base) ** exponent.numerator)


def _root(number: Fraction) -> Fraction:
    """Exact where it is rational, else the nearest number of a double's digits."""
    if number < 0:
        raise ArithmeticMistake("a negative number has no root")
    over, under = isqrt(number.numerator), isqrt(number.denominator)
    if (over * over, under * under) == (number.numerator, number.denominator):
        return Fraction(over, under)
    return Fraction(str(sqrt(number)))


def whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _add(left: Number, right: Number) -> Number:
    if type(left) is int and type(right) is int:  # nearly always; a fraction takes ten times as long
        return left + right
    if isinstance(left, Fraction) or isinstance(right, Fraction):
        if isinstance(left, Dim) or isinstance(right, Dim):
            raise ArithmeticMistake("a fraction cannot be added to a channel count")
        return whole(Fraction(left) + Fraction(right))
    return add(left, right)


def _times(left: Number, right: Number) -> Number:
    if type(left) is int and type(right) is int:
        return left * right
    match left, right:
        case (Dim(), Dim()) | (Dim(), int()) | (int(), Dim()):
            return multiply(left, right)
        case (Dim(), Fraction()):
            return multiply(left, right)
        case (Fraction(), Dim()):
            return multiply(right, left)
        case _:
            assert not isinstance(left, Dim) and not isinstance(right, Dim)
            return whole(Fraction(left) * right)


def _over(left: Number, right: Number) -> Number:
    if right == 0:
        raise ArithmeticMistake("a division by zero")
    if isinstance(right, Dim):
        raise ArithmeticMistake("nothing can be divided by a channel count that answers decide")
    if isinstance(left, Dim):
        return divide(left, right)
    return whole(Fraction(left) / right)


def _bounded(value: Number) -> Number:
    if not isinstance(value, Dim):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
            raise ArithmeticMistake("the result is too large", "no size in a network needs more than 77 digits")
    elif len(value.terms) > 64:
        raise ArithmeticMistake("too many answers decide this number")
    return value
