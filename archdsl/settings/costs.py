"""What is measured of a network, as texts define it: `cost NAME = …`."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from archdsl.records import record
from archdsl.settings.schema import Name, OneOf, Place, Reference, Spelling, TablePath, Word, form, setting
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


@record
class TableFile:
    """A cost table that a text names."""

    written: str
    """The path as the text has it, relative to the text."""
    path: Path | None
    """Where the table lies; None for a text without a place."""
    span: Span | None = field(default=None, compare=False, repr=False)
    """Where the text names it."""


@form("table")
class Measured:
    """The sum over the rows of a cost table, an op at a place each ([costs.md](costs.md))."""

    file: TableFile = setting(TablePath(), "a JSON file in the project, relative to the text", place=Place.BARE)
    unit: Unit = setting(Word(Unit, "unit of time"), "in which it enters an objective", default=Unit.MS)


@form(
    Spelling("macs", "multiply-accumulates, also of matmul: exact, from the rules of the primitives", {"what": "macs"}),
    Spelling("params", "weights that are learned: exact, from the rules of the primitives", {"what": "params"}),
)
class Counted:
    """`macs` or `params`."""

    what: str


MEASURE = OneOf("measure", lambda: (Measured, Counted, Uniform), named=True)


@form("uniform", source="CAS, section 4.1")
class Uniform:
    """One number for each op, wherever it stands: the network with it on every edge, less that with another one."""

    of: Measure = setting(MEASURE, "what is measured", place=Place.BARE)
    relative_to: str = setting(Name(Reference.OP), "the other op; the space has to offer it")


Measure: TypeAlias = "Measured | Counted | Uniform"


@form()
class Cost:
    """`cost NAME = …`."""

    name: str
    """As the text that uses it names it: `latency`, or `cas.latency` where its file was used under a name."""
    measure: Measure = setting(MEASURE, "what is measured")

    @property
    def table(self) -> TableFile | None:
        """The table that it is read from; None for what is counted."""
        measure = self.measure
        while isinstance(measure, Uniform):
            measure = measure.of
        return measure.file if isinstance(measure, Measured) else None
