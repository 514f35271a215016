"""Values that change while something trains: learning rates and temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TypeAlias, assert_never

from archdsl.settings.schema import Number, OneOf, Place, Rule, SetOf, Whole, form, setting

_NOT_NEGATIVE = Number(low=0)
_POSITIVE = Number(above=0)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a training or of a phase of a search."""

    done: float
    """The share of all iterations that are done, 0 to 1."""
    epoch: int
    """Whole epochs that are done."""
    iteration: int
    """Iterations that are done."""


@form()
class Constant:
    """A number that stays."""

    value: float = setting(_NOT_NEGATIVE, "the value", place=Place.BARE)


@form("linear")
class Linear:
    """A straight line."""

    start: float = setting(_NOT_NEGATIVE, "the first value", word="from", place=Place.FIRST)
    end: float = setting(_NOT_NEGATIVE, "the last value", word="to")


@form("anneal")
class Anneal:
    """By the same factor in every iteration; never zero."""

    start: float = setting(_POSITIVE, "the first value", word="from", place=Place.FIRST)
    end: float = setting(_NOT_NEGATIVE, "the last value", word="to")


@form("exponential")
class Exponential:
    """By a factor after every epoch."""

    start: float = setting(_NOT_NEGATIVE, "the first value", word="from", place=Place.FIRST)
    each_epoch: float = setting(Number(0, 1), "the factor")


@form("cosine", source="Loshchilov, Hutter, ICLR 2017, without restarts")
class Cosine:
    """Half a cosine wave."""

    start: float = setting(_NOT_NEGATIVE, "the first value", word="from", place=Place.FIRST)
    end: float = setting(_NOT_NEGATIVE, "the last value", default=0.0, word="to")


@form("poly", source="DeepLab")
class Poly:
    """The share of iterations that is left, raised to a power; zero at the end."""

    start: float = setting(_NOT_NEGATIVE, "the first value", word="from", place=Place.FIRST)
    power: float = setting(_POSITIVE, "the exponent", default=0.9)


@form("steps")
class Steps:
    """By a factor at certain epochs."""

    start: float = setting(_NOT_NEGATIVE, "the first value", word="from", place=Place.FIRST)
    at: tuple[int, ...] = setting(SetOf(Whole(), ordered=True), "whole epochs that are done", unit="epochs")
    by: float = setting(Number(0, 1), "the factor", default=0.1)


@form("warmup", source="Goyal et al., 2017, section 2.2")
class Warmup:
    """In a straight line from zero to what another schedule says."""

    then: Schedule = setting(OneOf("schedule", lambda: FORMS, plain=Constant), "the other schedule", place=Place.FIRST)
    iterations: int = setting(Whole(), "how long", unit="iterations")


Schedule: TypeAlias = "Constant | Linear | Anneal | Exponential | Cosine | Poly | Steps | Warmup"
FORMS = (Linear, Anneal, Exponential, Cosine, Poly, Steps, Warmup)
TEMPERATURE = OneOf("schedule", lambda: FORMS, plain=Constant, rule=Rule.ABOVE_ZERO)
RADIUS = OneOf("schedule", lambda: FORMS, plain=Constant)
LEARNING_RATE = OneOf("schedule", lambda: FORMS, plain=Constant, rule=Rule.BEGINS_ABOVE_ZERO)


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


def highest(schedule: Schedule) -> float:
    """A value that none is above."""
    match schedule:
        case Constant(value):
            return value
        case Linear(start, end) | Anneal(start, end) | Cosine(start, end):
            return max(start, end)
        case Exponential(start) | Poly(start) | Steps(start):
            return start
        case Warmup(then):
            return highest(then)
        case _:
            assert_never(schedule)
