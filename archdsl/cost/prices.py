"""What a network takes: the sum of its rows, times the factor of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum

from archdsl.cost.rows import Row, Use, uses
from archdsl.cost.tables import Table
from archdsl.ir import ClosedGraph


class MissingRows(Exception):
    """A table without rows that a network needs."""

    def __init__(self, table: Table, rows: Sequence[Row]) -> None:
        super().__init__(f"no row for {', '.join(map(str, rows))}")
        self.table = table
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class Price:
    use: Use
    seconds: float
    """With the factor of the table."""


@dataclass(frozen=True, slots=True)
class Share:
    """What belongs together, under a name."""

    name: str
    seconds: float
    uses: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """For one image at the size of the network's input."""

    table: Table
    prices: tuple[Price, ...]

    @property
    def seconds(self) -> float:
        return fsum(price.seconds for price in self.prices)

    def cells(self) -> tuple[Share, ...]:
        """By cell, in the order of the network; what stands in no cell by its line."""
        return _shares(self.prices, lambda use: use.cell)

    def branches(self) -> tuple[Share, ...]:
        """By who computes it: one branch alone, or several together."""
        owned = [price for price in self.prices if price.use.branches]
        return _shares(owned, lambda use: " and ".join(use.branches))


def estimate(graph: ClosedGraph, table: Table) -> Estimate:
    """The estimate for a closed graph. Raises MissingRows: what has no row is never taken to cost nothing."""
    found = uses(graph)
    missing = table.missing(dict.fromkeys(use.row for use in found))
    if missing:
        raise MissingRows(table, missing)
    return Estimate(table, tuple(Price(use, _seconds(table, use.row)) for use in found))


def _seconds(table: Table, row: Row) -> float:
    seconds = table.seconds(row)
    assert seconds is not None
    return seconds * table.factor


def _shares(prices: Sequence[Price], key: Callable[[Use], str]) -> tuple[Share, ...]:
    groups: dict[str, list[float]] = {}
    for price in prices:
        groups.setdefault(key(price.use), []).append(price.seconds)
    return tuple(Share(name, fsum(group), len(group)) for name, group in groups.items())
