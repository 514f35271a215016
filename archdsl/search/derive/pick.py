"""Which of several derived networks: that with the largest value of `pick = …`, or of accuracy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import assert_never

from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.strongest import EndLabels, labels_of
from archdsl.settings.objectives import (
    Accuracy,
    CostTerm,
    Log,
    LossTerm,
    Objective,
    Power,
    Product,
    Sum,
    Value,
)

PriceOf = Callable[[CostTerm], float]
"""A cost of one network, in the unit in which it enters an objective."""
_SHOWN = 6


def read_ends(text: str) -> Mapping[str, str]:
    """`a = 16, b = 32`. Raises NotDerived."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, label = (each.strip() for each in part.partition("="))
        if not (name and equals and label):
            raise NotDerived(f"`{text}` does not say where branches end: write `a = 16, b = 32`")
        found[name] = label
    return found


def value_of(objective: Objective, accuracy: float, price: PriceOf) -> float:
    """What an expression about accuracy and costs comes to."""
    match objective:
        case Value(number):
            return number
        case Accuracy():
            return accuracy
        case CostTerm():
            return price(objective)
        case Log(of):
            return log(value_of(of, accuracy, price))
        case Sum(parts):
            return sum(sign * value_of(part, accuracy, price) for sign, part in parts)
        case Product(parts):
            found = 1.0
            for exponent, part in parts:
                found *= value_of(part, accuracy, price) ** exponent
            return found
        case Power(base, exponent):
            return value_of(base, accuracy, price) ** exponent
        case LossTerm():
            raise ValueError("a derived network is picked by its accuracy")
        case _:
            assert_never(objective)


def compared(every: Sequence[EndLabels], accuracy: Mapping[str, float]) -> Mapping[int, float]:
    """The accuracy of each of some networks that has one, by its position. Raises NotDerived."""
    found: dict[int, float] = {}
    for text, number in accuracy.items():
        given = read_ends(text)
        position = next(
            (at for at, ends in enumerate(every) if {str(branch): label for branch, label in ends.items()} == given),
            None,
        )
        if position is None:
            raise NotDerived(f"no network has branches that end at `{text}`: {known_ends(every)}")
        found[position] = number
    return found


def known_ends(every: Sequence[EndLabels]) -> str:
    """Where branches can end, in words."""
    listed = "; ".join(f"`{labels_of(each)}`" for each in every[:_SHOWN])
    return f"they end at {listed}" + (f" or {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
