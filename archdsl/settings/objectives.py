"""Objectives: how a loss and costs are put together, and by what a network is picked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from archdsl.records import record
from archdsl.settings.costs import Cost
from archdsl.settings.schema import Number, Spelling
from archdsl.space import QuestionKind

FACTOR = Number()
EXPONENT = Number(-100, 100)
KIND_WEIGHT = Number(0)
TARGET = Number(above=0)
STEP = Number(above=1)
DOUBLED = 2.0
WORDS = (
    Spelling("loss", "what `loss = …` of the same block says; in `objective` alone"),
    Spelling("accuracy", "mIoU of a derived network (of whole images top-1), 0 to 1; in `pick` alone"),
    Spelling("NAME", "a cost, of all that is searched; its expectation while something is open"),
    Spelling("NAME(over = {h1, h2})", "that of some parts of the network"),
    Spelling(
        "weighted(NAME, operator = 0.001, …)",
        "a cost; the gradient by the answers of each kind is scaled by its weight",
        source="FasterSeg, equation 3",
    ),
    Spelling("log(…)", "the natural logarithm"),
    Spelling(
        "target(…, 8.3)",
        "how far it is off a target, as a share of it: abs(… / 8.3 - 1)",
        source="TuNAS: Bender et al., CVPR 2020",
    ),
    Spelling("hinge(…, 8.3)", "how far it is above a target, as a share of it: max(0, … / 8.3 - 1)"),
    Spelling(
        "adaptive(NAME, least = 5.7, most = 6.5)",
        "a cost, weighted or not, times a number that is 1 at first; after an epoch it is doubled where the derived "
        "network costs more than `most`, and halved where it costs less than `least`; `factor = 1.5` in place of 2; in "
        "`objective` alone",
        source="FasterSeg, published code",
    ),
    Spelling("+ - * / ^", "with numbers; an exponent is a number from -100 to 100"),
)
"""What an objective is made of."""


@record
class Value:
    value: float


@record
class LossTerm:
    """`loss`: what `loss = …` of the same block says."""


@record
class Accuracy:
    """`accuracy`: mIoU of a derived network, of whole images top-1, 0 to 1. Stands in `pick` only."""


@record
class CostTerm:
    """A cost, of all that is searched or of the parts in `over`; its expectation while something is open."""

    cost: Cost
    over: tuple[str, ...] = ()
    weights: tuple[tuple[QuestionKind, float], ...] = ()
    """`weighted(latency, operator = 0.001, …)`: the gradient by the answers of each kind is scaled by its weight.

    FasterSeg, equation 3: the sum of the cost as a function of one kind of answers alone, the others held still.
    """

    @property
    def plain(self) -> CostTerm:
        """The cost itself, without weights."""
        return CostTerm(self.cost, self.over)


@record
class Log:
    """The natural logarithm."""

    of: Objective


@record
class Target:
    """How far a value is off a target, as a share of it (TuNAS, the absolute reward function)."""

    of: Objective
    at: float


@record
class Hinge:
    """How far a value is above a target, as a share of it."""

    of: Objective
    at: float


@record
class Adaptive:
    """A cost times a number that follows what derived networks cost.

    FasterSeg's published code doubles or halves the weight of the latency after each epoch to hold 155 to 175 frames a
    second; the paper has one weight.
    """

    of: CostTerm
    least: float
    most: float
    factor: float = DOUBLED


@record
class Sum:
    terms: tuple[tuple[int, Objective], ...]
    """Each with its sign, 1 or -1."""


@record
class Product:
    factors: tuple[tuple[int, Objective], ...]
    """Each with its exponent, 1 or -1."""


@record
class Power:
    base: Objective
    exponent: float


Objective: TypeAlias = Value | LossTerm | Accuracy | CostTerm | Log | Target | Hinge | Adaptive | Sum | Product | Power


def terms(objective: Objective) -> Iterator[Objective]:
    """The expression and all in it, from the outside in."""
    yield objective
    match objective:
        case Value() | LossTerm() | Accuracy() | CostTerm():
            return
        case Log(of) | Power(of, _) | Target(of, _) | Hinge(of, _) | Adaptive(of):
            yield from terms(of)
        case Sum(parts) | Product(parts):
            for _, part in parts:
                yield from terms(part)
        case _:
            assert_never(objective)


def costs_in(objective: Objective) -> tuple[CostTerm, ...]:
    return tuple(term for term in terms(objective) if isinstance(term, CostTerm))
