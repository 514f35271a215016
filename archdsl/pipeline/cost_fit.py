"""A cost table of a space, fitted to networks of it that were measured as a whole."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np

from archdsl.cost.fit import CANDIDATES, LEAST, cross_validation, fit
from archdsl.cost.row_counts import RowCounts
from archdsl.cost.rows import Row
from archdsl.cost.space_rows import kernels_of_space
from archdsl.cost.tables import Fit, Table
from archdsl.ir import ClosedGraph
from archdsl.pipeline.load import Loaded, load
from archdsl.settings.costs import Unit

GENOTYPE: Final = "genotype"


class BadMeasurements(ValueError):
    """A file of measured networks that cannot be read, or not be fitted."""


@dataclass(frozen=True, slots=True)
class MeasuredNetwork:
    """A network, and what it takes."""

    graph: ClosedGraph
    seconds: float


@dataclass(frozen=True, slots=True)
class FittedTable:
    table: Table
    unmeasured: tuple[Row, ...]
    """Rows of the table of which no measured network has any."""


def read_measured(path: Path, space: Loaded, size: tuple[int, int] | None = None) -> tuple[Unit, list[MeasuredNetwork]]:
    """The networks of a CSV file, and the unit of their times.

    Its column `genotype` names texts as seen from the file's folder (`net.arch`, `nets.arch:net`), the column `ns`,
    `us`, `ms` or `s` has the times; others are not read. Raises BadMeasurements, NotLoaded, OSError.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            unit = _unit(path, reader.fieldnames or ())
            return unit, list(_networks(path, reader, unit, space, size))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadMeasurements(f"`{path}` is no CSV file in UTF-8: {error}") from None


def fitted_table(space: Loaded, unit: Unit, measured: Sequence[MeasuredNetwork], source: str) -> FittedTable:
    """A table with every row of the space. Raises BadMeasurements for too few networks, TooManyRows."""
    if len(measured) < LEAST:
        raise BadMeasurements(
            f"{len(measured)} measured networks are too few to fit a table: at least {LEAST} are needed"
        )
    graphs = [each.graph for each in measured]
    seconds = np.array([each.seconds for each in measured])
    networks = {passes: RowCounts.of(graphs, passes) for passes in CANDIDATES}
    fitted, tested = fit(networks, seconds), cross_validation(networks, seconds)
    kernels = dict(kernels_of_space(space.program))
    seen = networks[fitted.passes].kernels
    head = Fit(
        source=source,
        networks=len(measured),
        error=round(tested.error, 6),
        rank_correlation=round(tested.rank_correlation, 6),
        constants="folded" if fitted.passes.constants_folded else "computed",
        dead_code="removed" if fitted.passes.dead_code_removed else "run",
    )
    times = {row: float(f"{fitted.seconds(row, kernel) / unit.seconds:.6g}") for row, kernel in kernels.items()}
    return FittedTable(Table(unit, times, fitted=head), tuple(row for row in kernels if row not in seen))


def _unit(path: Path, columns: Sequence[str]) -> Unit:
    found = [unit for unit in Unit if unit.value in columns]
    if GENOTYPE not in columns or len(found) != 1:
        raise BadMeasurements(
            f"`{path}` has the columns {', '.join(f'`{name}`' for name in columns) or 'of no head'}: it needs "
            f"`{GENOTYPE}`, and one of {', '.join(f'`{unit.value}`' for unit in Unit)} for the times"
        )
    return found[0]


def _networks(
    path: Path, reader: csv.DictReader[str], unit: Unit, space: Loaded, size: tuple[int, int] | None
) -> Iterator[MeasuredNetwork]:
    for line in reader:
        where = f"`{path}`, line {reader.line_num}"
        seconds = _seconds(where, line.get(unit.value) or "", unit)
        name = (line.get(GENOTYPE) or "").strip()
        if not name:
            raise BadMeasurements(f"{where}: no genotype is named")
        loaded = load(str(path.parent / name), size=size)
        if loaded.program.hash != space.program.hash:
            raise BadMeasurements(
                f"{where}: `{name}` is of `{loaded.program.name}` as it stands elsewhere, or with other parameters"
            )
        if not loaded.closed:
            raise BadMeasurements(f"{where}: `{name}` still asks {loaded.open_count} questions")
        yield MeasuredNetwork(loaded.network(), seconds)


def _seconds(where: str, written: str, unit: Unit) -> float:
    try:
        number = float(written)
    except ValueError:
        number = 0.0
    if not isfinite(number) or number <= 0:
        raise BadMeasurements(f"{where}: a time has to be a number above 0, and this is `{written}`")
    return number * unit.seconds
