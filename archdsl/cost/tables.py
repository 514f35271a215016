"""Cost tables: what each row takes on one device, in one runtime. A JSON file, read and never run.

One row stands on one line, in an order of their own, so that `git diff` shows what was measured anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import fsum
from pathlib import Path
from re import findall
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import FailFast, Field, model_validator

from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses
from archdsl.cost.rows import Row
from archdsl.documents import MIB, Schema, Unfit, VersionOne, parse, read, text
from archdsl.settings.costs import Unit

FORMAT_VERSION: Final = 1
LARGEST: Final = 8 * MIB
"""Bytes. A row takes about 200."""
_MOST_ROWS: Final = 100_000
"""FasterSeg's space has 600."""

_Length: Final = "[1-9][0-9]{0,11}"
_Shape: TypeAlias = Annotated[str, text(rf"^{_Length}x{_Length}x{_Length}$", "a shape such as `64x128x256`")]
_Time: TypeAlias = Annotated[float, Field(gt=0, le=1e19)]
"""In the unit of the table."""
_SECONDS: Final = (1e-18, 1e9)
"""What a time can be, so that in every unit sums of many of them, and their squares, are finite numbers above 0."""
_Count: TypeAlias = Annotated[int, Field(ge=1, le=10**12)]
_Share: TypeAlias = Annotated[float, Field(ge=0, le=1e15)]
_Constants: TypeAlias = Literal["computed", "folded"]
"""What does not depend on an image: for each image, or once when the network is loaded."""
_DeadCode: TypeAlias = Literal["run", "removed"]
"""Maps of which no value is needed, such as those that only zeros read."""
_Text: TypeAlias = Annotated[str, text(r"^[^\n\r]+$", "one line that says something")]


class TableUnreadable(Exception):
    """A file that is no cost table of a version that we know; the text says what is wrong, and where in the file."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"`{path}` is no cost table: {what}")
        self.path = path
        self.what = what


class Scale(Schema):
    """Sums of rows are multiplied by `factor`: what networks take, measured as a whole, over the sums of their rows."""

    factor: float = Field(ge=1e-18, le=1e18)
    error: _Share
    """The mean of what is then still wrong, as a share of what a network takes; best of each without it in the fit."""
    networks: _Count
    """How many networks it was fitted on."""


class Measurement(Schema):
    """Where and how the rows were measured. Numbers that differ in any of this do not go together."""

    device: _Text
    runtime: _Text
    version: _Text
    """Of the runtime."""
    precision: Literal["fp32", "tf32", "fp16", "bf16", "int8"]
    threads: _Count
    clock: Literal["cpu", "wall", "device"]
    """The time of the process, of the clock on the wall, or of the device itself."""
    statistic: Literal["minimum", "median"]
    rounds: _Count
    """How often each row was measured, or more often."""
    batch_norm: Literal["folded", "kept"] | None = None
    """Whether it is part of the layer before it, as the runtime's target has it; None where that is not known."""
    constants: _Constants = "computed"
    dead_code: _DeadCode = "run"
    scale: Scale | None = None
    """None where nothing was fitted: an estimate is then the bare sum."""


class Calibration(Schema):
    """A network that was measured as a whole, with the rows and as they were: the factor is fitted on these."""

    network: _Text
    time: _Time
    """In the unit of the table, as is what follows."""
    ops: dict[_Text, _Time]
    """The sums of its rows by op, without the factor."""

    @property
    def sum(self) -> float:
        return fsum(self.ops.values())

    def in_unit(self, ratio: float) -> Calibration:
        """In a unit that is `ratio` times as short."""
        return Calibration(
            network=self.network,
            time=self.time * ratio,
            ops={op: time * ratio for op, time in self.ops.items()},
        )


class Fit(Schema):
    """The rows were not measured: they were fitted to networks that were measured as a whole."""

    source: _Text
    """The file with what was measured."""
    networks: _Count
    error: _Share
    """By cross-validation, the mean of what is wrong, as a share of what a network takes."""
    rank_correlation: float = Field(ge=-1, le=1)
    """By cross-validation, Spearman's."""
    constants: _Constants
    dead_code: _DeadCode


def passes_of(head: Measurement | Fit) -> GraphPasses:
    """Those of the runtime."""
    return GraphPasses(head.constants == "folded", head.dead_code == "removed")


def differences(one: Measurement, other: Measurement) -> Mapping[str, str]:
    """How two tables were measured otherwise, by field: `version: 1.31 and 1.32`. Rounds and the scale do not count."""
    mine, theirs = (each.model_dump(exclude={"rounds", "scale"}) for each in (one, other))
    return {
        name: f"{name.replace('_', ' ')}: {mine[name]} and {theirs[name]}"
        for name in mine
        if mine[name] != theirs[name]
    }


class _Line(Schema):
    """A row as it stands in the file."""

    op: _Text
    reads: tuple[_Shape, ...] = Field(min_length=1, max_length=1_000)
    gives: _Shape
    time: _Time | None
    """None for what is still to be measured."""
    body: _Text
    memory: int | None = Field(default=None, ge=0, le=2**60)
    """As in `Table`."""

    @property
    def row(self) -> Row:
        return Row(self.op, self.reads, self.body, self.gives)


class _File(Schema):
    format: Literal["archdsl cost table"]
    format_version: VersionOne
    measured: Measurement | None
    """None where nothing was measured yet, or networks alone."""
    fitted: Fit | None = None
    unit: Unit = Field(strict=False)
    calibration: tuple[Calibration, ...] = ()
    rows: Annotated[tuple[_Line, ...], FailFast()] = Field(max_length=_MOST_ROWS)

    @model_validator(mode="after")
    def _once(self) -> _File:
        seen: set[Row] = set()
        for number, line in enumerate(self.rows):
            if line.row in seen:
                raise ValueError(f"row {number + 1} stands there twice: {line.row}")
            seen.add(line.row)
            self._check_time(line.time, f"`rows[{number + 1}].time`")
        for number, network in enumerate(self.calibration):
            for time in (network.time, *network.ops.values()):
                self._check_time(time, f"`calibration[{number + 1}]`")
        if self.measured is not None and self.fitted is not None:
            raise ValueError("rows are `measured` or `fitted`, and it says both")
        if self.measured is None and self.fitted is None and any(line.time is not None for line in self.rows):
            raise ValueError("rows have times, and `measured` does not say where they were measured")
        return self

    def _check_time(self, time: float | None, where: str) -> None:
        least, most = _SECONDS
        if time is not None and not least <= time * self.unit.seconds <= most:
            raise ValueError(f"{where} has to be from {least:g} to {most:g} seconds, and is {time:g} {self.unit}")


@dataclass(frozen=True)
class Table:
    """Times by row, in `unit`; None where a row is still to be measured."""

    unit: Unit
    times: Mapping[Row, float | None]
    measured: Measurement | None = None
    path: Path | None = field(default=None, compare=False)
    """Where it was read."""
    memory: Mapping[Row, int] = field(default_factory=dict[Row, int])
    """Bytes that a row adds at its peak to its inputs and weights, its own map among them, where that was measured."""
    fitted: Fit | None = None
    interpolated: frozenset[Row] = frozenset()
    """Rows whose times were not in the file."""
    calibration: tuple[Calibration, ...] = ()

    @property
    def passes(self) -> GraphPasses:
        """What networks are priced without."""
        head = self.measured or self.fitted
        return AS_WRITTEN if head is None else passes_of(head)

    def seconds(self, row: Row) -> float | None:
        """What a row takes by itself, without the factor of the scale; None where the table does not know."""
        time = self.times.get(row)
        return None if time is None else time * self.unit.seconds

    @cached_property
    def factor(self) -> float:
        scale = self.measured and self.measured.scale
        return scale.factor if scale else 1.0

    def missing(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """Those of `rows` that have no time."""
        return tuple(row for row in rows if self.times.get(row) is None)

    def unused(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """The table's rows that are none of `rows`."""
        wanted = set(rows)
        return tuple(row for row in self.times if row not in wanted)


def empty(rows: Iterable[Row], unit: Unit = Unit.MS) -> Table:
    """A table with nothing in it but what is to be measured."""
    return Table(unit, dict.fromkeys(rows))


def table_bytes(table: Table) -> bytes:
    """Canonical: equal tables have equal bytes."""
    rows = ordered(table.times)
    fitted = {"fitted": table.fitted.model_dump(mode="json")} if table.fitted else {}
    head = {
        "format": "archdsl cost table",
        "format_version": FORMAT_VERSION,
        "measured": table.measured and table.measured.model_dump(mode="json"),
        **fitted,
        "unit": table.unit.value,
    }
    lists = {"rows": [_line(row, table.times[row], table.memory.get(row)) for row in rows]}
    if table.calibration:
        lists = {"calibration": [_dumped(each.model_dump(mode="json")) for each in table.calibration]} | lists
    listed = [f'  "{name}": ' + _listed(lines) for name, lines in lists.items()]
    return ",\n".join([_dumped(head, indent=2)[:-2], *listed, ""]).removesuffix(",\n").encode() + b"\n}\n"


def _listed(lines: Iterable[str]) -> str:
    """One on a line."""
    text = ",\n    ".join(lines)
    return f"[\n    {text}\n  ]" if text else "[]"


def _dumped(content: Mapping[str, object], *, indent: int | None = None) -> str:
    return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """By op, then from small maps to large ones."""
    return sorted(rows, key=_order)


def _line(row: Row, time: float | None, memory: int | None) -> str:
    content: dict[str, object] = {
        "op": row.op,
        "reads": list(row.reads),
        "gives": row.gives,
        "time": time,
        "body": row.body,
    }
    if memory is not None:
        content["memory"] = memory
    return _dumped(content)


def _order(row: Row) -> tuple[object, ...]:
    sizes = [[int(length) for length in findall("[0-9]+", shape)] for shape in (*row.reads, row.gives)]
    return row.op, sizes, row.body


def read_table(path: Path) -> Table:
    """Raises TableUnreadable where the file is something else, OSError where it cannot be read."""
    try:
        return _table(read(_File, path, LARGEST), path)
    except Unfit as error:
        raise TableUnreadable(path, str(error)) from None


def parse_table(data: bytes, path: Path) -> Table:
    """Raises TableUnreadable."""
    try:
        return _table(parse(_File, data), path)
    except Unfit as error:
        raise TableUnreadable(path, str(error)) from None


def _table(file: _File, path: Path) -> Table:
    memory = {line.row: line.memory for line in file.rows if line.memory is not None}
    times = {line.row: line.time for line in file.rows}
    return Table(file.unit, times, file.measured, path, memory, file.fitted, calibration=file.calibration)
