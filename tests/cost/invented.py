"""Small tables whose numbers are invented, for nobody measured anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.cost.rows import Row
from archdsl.cost.tables import Measurement, Scale, Table
from archdsl.settings.costs import Unit

SCALE = Scale(factor=0.5, error=0.017, networks=5)


def measurement(scale: Scale | None = None) -> Measurement:
    return Measurement(
        device="invented",
        runtime="invented",
        version="0",
        precision="fp32",
        threads=1,
        clock="cpu",
        statistic="minimum",
        rounds=10,
        scale=scale,
    )


def table(times: Mapping[Row, float], unit: Unit = Unit.MS, scale: Scale | None = None) -> Table:
    return Table(unit, dict(times), measurement(scale))


def numbered(rows: Iterable[Row]) -> Table:
    """The first row takes 1 ms, the second 2 ms, and so on."""
    return table({row: float(number) for number, row in enumerate(rows, start=1)})
