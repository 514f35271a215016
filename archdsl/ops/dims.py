"""Whole numbers that may depend on answers not given yet.

A channel count is an `int` where the text fixes it, else a `Dim`: a polynomial with rational coefficients over
`Leaf`s, each of which stands for a number that some answer decides. Two `Dim`s are equal exactly when their
polynomials are, so a sum of maps is checked once and not for every width (`rule-widths`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Protocol, TypeAlias


class Leaf(Hashable, Protocol):
    """A number that an answer decides: the width of a map, the channels of a mix, a case on facts."""

    def domain(self) -> frozenset[int] | None:
        """Each value that it can take, or None where these are too many to list."""
        ...


Monomial: TypeAlias = "tuple[Leaf, ...]"
Count: TypeAlias = "int | Dim"
Rational: TypeAlias = "int | Fraction"
"""Whole numbers stay ints: a Fraction is ten times slower."""

DOMAIN_LIMIT = 4096
"""A domain with more values than this is not listed."""


@dataclass(frozen=True)
class Dim:
    """`sum of coefficient * product of leaves`, in normal form: no zero coefficient, terms sorted."""

    terms: tuple[tuple[Monomial, Rational], ...]

    def __str__(self) -> str:
        return " + ".join(_show_term(monomial, coefficient) for monomial, coefficient in self.terms)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)

    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that it is made of, each once."""
        return self._leaves

    @cached_property
    def _leaves(self) -> tuple[Leaf, ...]:
        return tuple(dict.fromkeys(leaf for monomial, _ in self.terms for leaf in monomial))

    @cached_property
    def numbers(self) -> frozenset[int | Fraction] | None:
        """Each value that it can take: see `values`."""
        domains: dict[Leaf, frozenset[int]] = {}
        for leaf in self.leaves():
            domain = leaf.domain()
            if domain is None:
                return None
            domains[leaf] = domain
        shared = [leaf for leaf in domains if sum(leaf in monomial for monomial, _ in self.terms) > 1]
        return _values(self, domains, shared)

    def evaluate(self, value: Callable[[Leaf], int]) -> int:
        """The number, where `value` says what each leaf is.

        Raises ArithmeticError when it is not whole; a checked text has no such number.
        """
        total = 0
        for monomial, coefficient in self.terms:
            product = coefficient
            for leaf in monomial:
                product *= value(leaf)
            total += product
        if total.denominator != 1:
            raise ArithmeticError(f"{self} is {total}, not a whole number")
        return total.numerator

    def __add__(self, other: Count) -> Count:
        return add(self, other)

    __radd__ = __add__

    def __mul__(self, other: Count) -> Count:
        return multiply(self, other)

    __rmul__ = __mul__

    def __sub__(self, other: Count) -> Count:
        return add(self, multiply(other, -1))

    def __rsub__(self, other: Count) -> Count:
        return add(other, multiply(self, -1))


def variable(leaf: Leaf) -> Dim:
    return Dim((((leaf,), 1),))


def constant(value: int | Fraction) -> Count:
    """A number as a count, also where it is a fraction that is still to be multiplied."""
    return _normal({(): value})


def add(left: Count, right: Count) -> Count:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    sums = dict(_terms(left))
    for monomial, coefficient in _terms(right):
        sums[monomial] = sums.get(monomial, 0) + coefficient
    return _normal(sums)


def multiply(left: Count, right: Count | Fraction) -> Count:
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    products: dict[Monomial, Rational] = {}
    for left_monomial, left_coefficient in _terms(left):
        for right_monomial, right_coefficient in _terms(right):
            monomial = _product(left_monomial, right_monomial)
            products[monomial] = products.get(monomial, 0) + left_coefficient * right_coefficient
    return _normal(products)


def divide(left: Count, right: int | Fraction) -> Count | Fraction:
    """`left / right`, a Fraction where both are numbers and it is not whole. Raises ZeroDivisionError."""
    if isinstance(left, int):
        quotient = Fraction(left) / right
        return quotient.numerator if quotient.denominator == 1 else quotient
    return multiply(left, 1 / Fraction(right))


def values(count: Count) -> frozenset[int | Fraction] | None:
    """Each value that the count can take, or None where these are too many to list.

    Leaves are taken as independent, so values that no set of answers gives can be among them.
    """
    if isinstance(count, int):
        return frozenset({count})
    return count.numbers


def _values(count: Dim, domains: dict[Leaf, frozenset[int]], shared: list[Leaf]) -> frozenset[int | Fraction] | None:
    """Sums of the values of terms; a leaf that several terms share is fixed first."""
    if shared:
        found: set[int | Fraction] = set()
        leaf, *rest = shared
        for number in domains[leaf]:
            part = _values(count, {**domains, leaf: frozenset({number})}, rest)
            if part is None:
                return None
            found |= part
            if len(found) > DOMAIN_LIMIT:
                return None
        return frozenset(found)
    totals: set[Rational] = {0}
    for monomial, coefficient in count.terms:
        products: set[Rational] = {coefficient}
        for leaf in monomial:
            products = {product * number for product in products for number in domains[leaf]}
            if len(products) > DOMAIN_LIMIT:
                return None
        totals = {total + product for total in totals for product in products}
        if len(totals) > DOMAIN_LIMIT:
            return None
    return frozenset(map(whole, totals))


def whole(number: Rational) -> Rational:
    """The number, as an int where it is whole."""
    return number.numerator if number.denominator == 1 else number


def _terms(count: Count | Fraction) -> tuple[tuple[Monomial, Rational], ...]:
    if isinstance(count, Dim):
        return count.terms
    return (((), count),) if count else ()


def _normal(sums: dict[Monomial, Rational]) -> Count:
    terms = [
        (monomial, coefficient if isinstance(coefficient, int) else whole(coefficient))
        for monomial, coefficient in sums.items()
        if coefficient
    ]
    if not terms:
        return 0
    if len(terms) == 1 and not terms[0][0] and isinstance(terms[0][1], int):
        return terms[0][1]
    # One term is sorted; most counts have no more, and spelling leaves is what the order costs.
    return Dim(tuple(terms if len(terms) == 1 else sorted(terms, key=lambda term: tuple(map(str, term[0])))))


def _product(left: Monomial, right: Monomial) -> Monomial:
    """Leaves in the order of their spelling, as those of both factors are."""
    return tuple(sorted((*left, *right), key=str)) if left and right else left or right


def _show_term(monomial: Monomial, coefficient: Rational) -> str:
    names = [str(leaf) for leaf in monomial]
    return " * ".join(names if coefficient == 1 and names else [str(coefficient), *names])
