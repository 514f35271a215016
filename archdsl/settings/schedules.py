"""Values that change while something trains: learning rates and temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a training or of a phase of a search."""

    done: float
    """The share of all iterations that are done, 0 to 1."""
    epoch: int
    """Whole epochs that are done."""
    iteration: int
    """Iterations that are done."""


@dataclass(frozen=True, slots=True)
class Constant:
    """`0.01`."""

    value: float


@dataclass(frozen=True, slots=True)
class Linear:
    """`linear(from = 1, to = 0)`: a straight line."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Anneal:
    """`anneal(from = 3.0, to = 0.03)`: by the same factor in every iteration; never zero."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Exponential:
    """`exponential(from = 0.01, each_epoch = 0.978)`: by a factor after every epoch."""

    start: float
    each_epoch: float


@dataclass(frozen=True, slots=True)
class Cosine:
    """`cosine(from = 0.025, to = 0.001)`: half a wave (Loshchilov, Hutter, ICLR 2017, without restarts)."""

    start: float
    end: float = 0.0


@dataclass(frozen=True, slots=True)
class Poly:
    """`poly(0.005, power = 0.9)`: the share that is left, raised to a power; zero at the end."""

    start: float
    power: float = 0.9


@dataclass(frozen=True, slots=True)
class Steps:
    """`steps(from = 0.1, at = {30, 60}, by = 0.1)`: by a factor at certain epochs."""

    start: float
    at: tuple[int, ...]
    by: float = 0.1


@dataclass(frozen=True, slots=True)
class Warmup:
    """`warmup(poly(0.01), iterations = 1000)`: in a straight line from zero to what the other one says."""

    then: Schedule
    iterations: int


Schedule: TypeAlias = "Constant | Linear | Anneal | Exponential | Cosine | Poly | Steps | Warmup"


def value_at(schedule: Schedule, moment: Moment) -> float:
    """The value at a moment."""
    done = moment.done
    match schedule:
        case Constant(value):
            return value
        case Linear(start, end):
            return start + (end - start) * done
        case Anneal(start, end):
            return start * (end / start) ** done
        case Exponential(start, each_epoch):
            return start * each_epoch**moment.epoch
        case Cosine(start, end):
            return end + (start - end) * (1 + cos(pi * done)) / 2
        case Poly(start, power):
            return start * (1 - done) ** power
        case Steps(start, at, by):
            return start * by ** sum(moment.epoch >= epoch for epoch in at)
        case Warmup(then, iterations):
            share = min(1.0, (moment.iteration + 1) / iterations)
            return share * value_at(then, moment)
        case _:
            assert_never(schedule)


def reaches_zero(schedule: Schedule) -> bool:
    """Whether the value is zero somewhere: no temperature may be."""
    match schedule:
        case Constant(value):
            return value == 0
        case Linear(start, end) | Anneal(start, end) | Cosine(start, end):
            return start == 0 or end == 0
        case Exponential(start, factor) | Steps(start, _, factor):
            return start == 0 or factor == 0
        case Poly():
            return True
        case Warmup(then):
            return reaches_zero(then)
        case _:
            assert_never(schedule)
