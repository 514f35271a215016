"""How costs are drawn: a fill for each share of the whole, on one scale for all pictures, with the number beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from archdsl.cost.node_costs import Counted, NodeCosts
from archdsl.diff.amounts import short
from archdsl.render.model.labels import small
from archdsl.render.model.picture import INK, PAPER, Swatch, Text


@dataclass(frozen=True, slots=True)
class Step:
    """One colour of the scale, for shares from `least` on."""

    least: float
    swatch: Swatch


SCALE: Final = (
    Step(0.0, Swatch("#ffffd4", INK)),
    Step(0.01, Swatch("#fee391", INK)),
    Step(0.02, Swatch("#fec44f", INK)),
    Step(0.05, Swatch("#fe9929", INK)),
    Step(0.1, Swatch("#ec7014", INK)),
    Step(0.2, Swatch("#b34208", PAPER)),
    Step(0.5, Swatch("#6e2403", PAPER)),
)
"""ColorBrewer's YlOrBr, whose lightness falls evenly, so that it is read without its hues and in grey; the last two are
darker here, for white letters."""


@dataclass(frozen=True)
class Shares:
    """What parts of a picture cost, and their shares of `whole`: of what the picture shows."""

    costs: NodeCosts
    whole: float

    @classmethod
    def of(cls, costs: NodeCosts, nodes: Iterable[str], times: int = 1) -> Shares:
        return cls(costs, times * costs.of(nodes))

    def swatch(self, nodes: Iterable[str], times: int = 1) -> Swatch | None:
        """None for what costs nothing; `times` for a part that stands for several."""
        share = self.share(nodes, times)
        return None if share is None else [step for step in SCALE if share >= step.least][-1].swatch

    def share(self, nodes: Iterable[str], times: int = 1) -> float | None:
        """None for what costs nothing."""
        cost = times * self.costs.of(nodes)
        return cost / self.whole if cost > 0 else None

    def label(self, nodes: Iterable[str], times: int = 1) -> str:
        """`3 × 1.20 G MACs, 12 %`; empty for what costs nothing."""
        nodes = tuple(nodes)
        share = self.share(nodes, times)
        if share is None:
            return ""
        return f"{_several(times)}{spelled(self.costs.of(nodes), self.costs.unit)}, {percent(share)}"

    def brief(self, nodes: Iterable[str], times: int = 1) -> str:
        """`1.20 G, 12 %`, where the legend says of what; empty for what costs nothing."""
        nodes = tuple(nodes)
        share = self.share(nodes, times)
        if share is None:
            return ""
        return f"{_several(times)}{amount_of(self.costs.of(nodes), self.costs.unit)}, {percent(share)}"

    def legend(self) -> tuple[tuple[Swatch, tuple[Text, ...]], ...]:
        """Each colour with the share from which on it is used, and what that is here."""
        found: list[tuple[Swatch, tuple[Text, ...]]] = []
        for step, after in zip(SCALE, (*SCALE[1:], None), strict=True):
            share = f"from {100 * step.least:g} %" if step.least else f"below {100 * after.least:g} %" if after else ""
            amount = amount_of((step.least or SCALE[1].least) * self.whole, self.costs.unit)
            found.append((step.swatch, coloured((small(share), small(amount)), step.swatch)))
        return tuple(found)

    def about(self, what: str) -> str:
        """`colour: share of 27.8 G MACs of the network`."""
        return f"colour: share of the {spelled(self.whole, self.costs.unit)} of {what}"


def coloured(label: Iterable[Text], swatch: Swatch) -> tuple[Text, ...]:
    """A label in letters that are read on a fill."""
    return tuple(replace(line, colour=swatch.ink) for line in label)


def _several(times: int) -> str:
    return f"{times} × " if times > 1 else ""


def percent(share: float) -> str:
    """`12 %`, `3.4 %`, `0.05 %`."""
    number = 100 * share
    digits = 0 if number >= 9.95 else 1 if number >= 0.95 else 2
    return f"{number:.{digits}f} %" if number >= 0.005 else "< 0.01 %"


def amount_of(amount: float, unit: object) -> str:
    """`1.20 G`, or `3.42 ms`."""
    if isinstance(unit, Counted):
        return short(round(amount))
    return f"{_digits(amount)} {unit}"


def spelled(amount: float, unit: Counted | object) -> str:
    """`1.20 G MACs`, or `3.42 ms`."""
    if isinstance(unit, Counted):
        return f"{short(round(amount))} {'MACs' if unit is Counted.MACS else unit}"
    return amount_of(amount, unit)


def _digits(amount: float) -> str:
    """Three of them."""
    return f"{amount:#.3g}" if amount < 99.95 else f"{amount:,.0f}"
