"""Objectives: how a loss and costs are put together, and by what a network is picked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from archdsl.settings.costs import Cost
from archdsl.space import QuestionKind


@dataclass(frozen=True, slots=True)
class Value:
    value: float


@dataclass(frozen=True, slots=True)
class LossTerm:
    """`loss`: what `loss = …` of the same block says."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`accuracy`: mIoU of a derived network, 0 to 1. Stands in `pick` only."""


@dataclass(frozen=True, slots=True)
class CostTerm:
    """A cost, of all that is searched or of the parts in `over`; its expectation while something is open."""

    cost: Cost
    over: tuple[str, ...] = ()
    weights: tuple[tuple[QuestionKind, float], ...] = ()
    """`weighted(latency, operator = 0.001, …)`: the gradient by the answers of each kind is scaled by its weight.

    FasterSeg, equation 3: the sum of the cost as a function of one kind of answers alone, the others held still.
    """


@dataclass(frozen=True, slots=True)
class Log:
    """The natural logarithm."""

    of: Objective


@dataclass(frozen=True, slots=True)
class Sum:
    terms: tuple[tuple[int, Objective], ...]
    """Each with its sign, 1 or -1."""


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple[tuple[int, Objective], ...]
    """Each with its exponent, 1 or -1."""


@dataclass(frozen=True, slots=True)
class Power:
    base: Objective
    exponent: float


Objective: TypeAlias = Value | LossTerm | Accuracy | CostTerm | Log | Sum | Product | Power


def terms(objective: Objective) -> Iterator[Objective]:
    """The expression and all in it, from the outside in."""
    yield objective
    match objective:
        case Value() | LossTerm() | Accuracy() | CostTerm():
            return
        case Log(of) | Power(of, _):
            yield from terms(of)
        case Sum(parts) | Product(parts):
            for _, part in parts:
                yield from terms(part)
        case _:
            assert_never(objective)


def costs_in(objective: Objective) -> tuple[CostTerm, ...]:
    return tuple(term for term in terms(objective) if isinstance(term, CostTerm))


def spelled(objective: Objective) -> str:
    """As a text says it: `loss + 0.01 * log(latency(over = {h1, h2}))`."""
    return _spelled(objective, _LOOSEST)


_LOOSEST, _PRODUCT, _POWER = 0, 1, 2


def _spelled(objective: Objective, around: int) -> str:
    match objective:
        case Value(value):
            return f"{value:g}"
        case LossTerm():
            return "loss"
        case Accuracy():
            return "accuracy"
        case CostTerm(cost, over, weights):
            called = f"{cost.name}(over = {{{', '.join(over)}}})" if over else cost.name
            return (
                f"weighted({', '.join([called, *(f'{kind} = {by:g}' for kind, by in weights)])})" if weights else called
            )
        case Log(of):
            return f"log({_spelled(of, _LOOSEST)})"
        case Sum(parts):
            text = _joined(parts, {1: " + ", -1: " - "}, _LOOSEST + 1).removeprefix(" + ")
            return f"({text})" if around > _LOOSEST else text
        case Product(parts):
            text = _joined(parts, {1: " * ", -1: " / "}, _PRODUCT + 1).removeprefix(" * ")
            return f"({text})" if around > _PRODUCT else text
        case Power(base, exponent):
            return f"{_spelled(base, _POWER + 1)} ^ {exponent:g}"
        case _:
            assert_never(objective)


def _joined(parts: tuple[tuple[int, Objective], ...], signs: dict[int, str], around: int) -> str:
    return "".join(signs[sign] + _spelled(part, around) for sign, part in parts)
