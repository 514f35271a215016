"""The estimated latency of a network: the sum of its rows in a latency table, times the factor of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from archdsl.cost.rows import Row, Use, uses
from archdsl.cost.tables import Table
from archdsl.ir import ClosedGraph

_SHOWN: Final = 3
"""Rows that a message lists."""


class MissingRows(Exception):
    """A table without rows that a network needs."""

    def __init__(self, table: Table, rows: Sequence[Row], needed: int) -> None:
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        super().__init__(f"no row for {', '.join(map(str, rows[:_SHOWN]))}{more}")
        self.table = table
        self.rows = tuple(rows)
        self.needed = needed
        """How many rows were looked for."""


@dataclass(frozen=True, slots=True)
class RowEstimate:
    """One row of the table at its place in the network."""

    use: Use
    seconds: float
    """With the factor of the table."""
    interpolated: bool
    """Whether it was not measured: it lies between rows that were."""


@dataclass(frozen=True, slots=True)
class Share:
    """What belongs together, under a name."""

    name: str
    seconds: float
    uses: int
    interpolated: int
    """So many of its rows were not measured."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """For one image at the size of the network's input."""

    table: Table
    rows: tuple[RowEstimate, ...]

    @property
    def seconds(self) -> float:
        return fsum(row.seconds for row in self.rows)

    @property
    def interpolated(self) -> int:
        """So many rows were not measured."""
        return sum(row.interpolated for row in self.rows)

    def cells(self) -> tuple[Share, ...]:
        """By cell, in the order of the network; what stands in no cell by its line."""
        return _shares(self.rows, lambda use: use.cell)

    def branches(self) -> tuple[Share, ...]:
        """By who computes it: one branch alone, or several together."""
        owned = [row for row in self.rows if row.use.branches]
        return _shares(owned, lambda use: " and ".join(use.branches))

    def by_node(self) -> Mapping[str, float]:
        """Seconds by the node that gives a row's map; an op that several branches compute has one for each."""
        found: dict[str, float] = {}
        for row in self.rows:
            found[row.use.node] = found.get(row.use.node, 0.0) + row.seconds
        return found

    def ops(self) -> tuple[Share, ...]:
        """By op, the slowest first."""
        return tuple(sorted(_shares(self.rows, lambda use: use.row.op), key=lambda share: -share.seconds))


def estimate(graph: ClosedGraph, table: Table) -> Estimate:
    """The estimate for a closed graph. Raises MissingRows: what has no row is never taken to cost nothing."""
    found = uses(graph, table.passes)
    seconds = seconds_of(table, (use.row for use in found))
    return Estimate(table, tuple(RowEstimate(use, seconds[use.row], use.row in table.interpolated) for use in found))


def seconds_of(table: Table, rows: Iterable[Row]) -> Mapping[Row, float]:
    """The time of each row with the factor of the table. Raises MissingRows."""
    found = {row: table.seconds(row) for row in rows}
    missing = table.missing(found)
    if missing:
        raise MissingRows(table, missing, len(found))
    return {row: seconds * table.factor for row, seconds in found.items() if seconds is not None}


def _shares(rows: Sequence[RowEstimate], key: Callable[[Use], str]) -> tuple[Share, ...]:
    groups: dict[str, list[RowEstimate]] = {}
    for row in rows:
        groups.setdefault(key(row.use), []).append(row)
    return tuple(
        Share(name, fsum(row.seconds for row in group), len(group), sum(row.interpolated for row in group))
        for name, group in groups.items()
    )
