"""What is measured of a network, as texts define it: `cost NAME = …`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from archdsl.text import Span


class Unit(StrEnum):
    """The unit in which a cost enters an objective, whatever the table was measured in."""

    NS = "ns"
    US = "us"
    MS = "ms"
    S = "s"

    @property
    def seconds(self) -> float:
        return {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[self.value]


@dataclass(frozen=True, slots=True)
class Measured:
    """`table("tables/gtx1080ti.json", unit = ms)`: the sum over the rows of a table, an op at a place each."""

    written: str
    """The path as the text has it, relative to the text."""
    path: Path | None
    """Where the table lies; None for a text without a place."""
    unit: Unit = Unit.MS
    span: Span | None = field(default=None, compare=False, repr=False)
    """Where the text names it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`macs` or `params`: exact, from the rules of the primitives."""

    what: str


@dataclass(frozen=True, slots=True)
class Uniform:
    """`uniform(table(…), relative_to = identity)`: one number for each op, wherever it stands (CAS, section 4.1).

    The cost of the whole network with that op on every edge, less that of the network with `relative_to` on every edge.
    """

    of: Measure
    relative_to: str


Measure: TypeAlias = "Measured | Counted | Uniform"


@dataclass(frozen=True, slots=True)
class Cost:
    name: str
    measure: Measure

    @property
    def table(self) -> Measured | None:
        """The table that it is read from; None for what is counted."""
        measure = self.measure
        while isinstance(measure, Uniform):
            measure = measure.of
        return measure if isinstance(measure, Measured) else None
