"""Weights of maps: what decisions give for an answer, and sums and products of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.space import QuestionPath


@dataclass(frozen=True, slots=True)
class Answered:
    """The weight of an answer: its probability, or 1 where it is the one."""

    question: QuestionPath
    answer: str


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Total:
    terms: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """That at least one of some maps is there, each by itself: 1 - (1 - p) * (1 - q)."""

    terms: tuple[Scalar, ...]


Scalar: TypeAlias = "Answered | Product | Total | Any"


def product(*factors: Scalar | None) -> Scalar | None:
    """The product without what is 1; None is 1."""
    found: dict[Scalar, None] = {}
    for factor in factors:
        for each in factor.factors if isinstance(factor, Product) else (factor,):
            if each is not None:
                # The same chance twice is one condition and not two.
                found[each] = None
    if not found:
        return None
    return next(iter(found)) if len(found) == 1 else Product(tuple(found))


def total(terms: Sequence[Scalar]) -> Scalar:
    return terms[0] if len(terms) == 1 else Total(tuple(terms))


def any_of(terms: Sequence[Scalar | None]) -> Scalar | None:
    """That one of them is there; None where one is there for certain."""
    known = tuple(dict.fromkeys(term for term in terms if term is not None))
    if len(known) < len(set(terms)) or not known:
        return None
    return known[0] if len(known) == 1 else Any(known)
