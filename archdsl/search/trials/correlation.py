"""How alike two ways to score the same networks order them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from random import Random
from typing import Final, TypeAlias

import numpy as np

from archdsl.cost.fit import rank_correlation

RESAMPLES: Final = 2_000
_SHARE: Final = 0.95
_Measure: TypeAlias = "Callable[[Sequence[float], Sequence[float]], float]"


@dataclass(frozen=True, slots=True)
class Correlation:
    """A coefficient, -1 to 1, with the interval that holds 95 % of it over resamples of the networks (bootstrap)."""

    value: float
    low: float
    high: float


def correlation(measure: _Measure, one: Sequence[float], other: Sequence[float], seed: int = 0) -> Correlation:
    """Percentiles of the measure over networks drawn with replacement (Efron, 1979)."""
    random = Random(seed)
    pairs = list(zip(one, other, strict=True))
    drawn: list[float] = []
    for _ in range(RESAMPLES):
        some = random.choices(pairs, k=len(pairs))
        drawn.append(measure([first for first, _ in some], [second for _, second in some]))
    drawn.sort()
    outside = round((1 - _SHARE) / 2 * RESAMPLES)
    return Correlation(measure(one, other), drawn[outside], drawn[-1 - outside])


def kendall(one: Sequence[float], other: Sequence[float]) -> float:
    """Tau-b (Kendall, 1945): pairs in the same order less those in opposite order, over those that are not equal.

    0 where one side has no two numbers that differ.
    """
    agreeing = first = second = 0
    for (a, b), (c, d) in combinations(zip(one, other, strict=True), 2):
        agreeing += _sign(a - c) * _sign(b - d)
        first += a != c
        second += b != d
    return agreeing / sqrt(first * second) if first and second else 0.0


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Of ranks, equal numbers at the mean of theirs; 0 where one side has no two numbers that differ."""
    return rank_correlation(np.array(one), np.array(other))


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
