"""Cost tables put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Final

from archdsl.cost.rows import Row
from archdsl.cost.tables import Measurement, Scale, Table, differences

MIXABLE: Final = frozenset({"device", "runtime", "version"})
"""What tables may differ in where that is asked for; the head then names all."""


class NotTogether(Exception):
    """Tables whose numbers do not go together; the text says why."""


def require_alike(tables: Sequence[Table], *, mixed: bool) -> None:
    """Raises NotTogether where tables were measured otherwise; with `mixed` device, runtime and version may differ."""
    for table in tables:
        if table.fitted is not None:
            raise NotTogether(f"`{table.path}` was fitted to whole networks: its rows are no measurements")
    first, *others = [table for table in tables if table.measured is not None] or tables[:1]
    for other in others:
        assert first.measured is not None and other.measured is not None
        found = differences(first.measured, other.measured)
        refused = [each for name, each in found.items() if not (mixed and name in MIXABLE)]
        if refused:
            more = "" if set(found) - MIXABLE else "; `--mixed` takes them all the same"
            raise NotTogether(f"`{first.path}` and `{other.path}` were measured otherwise: {'; '.join(refused)}{more}")


def merge(tables: Sequence[Table], *, mixed: bool = False) -> Table:
    """The rows of all tables; a row that several have is that of the first which has a time for it.

    Raises NotTogether.
    """
    require_alike(tables, mixed=mixed)
    unit = tables[0].unit
    times: dict[Row, float | None] = {}
    memory: dict[Row, int] = {}
    for table in tables:
        for row in table.times:
            seconds = table.seconds(row)
            if times.get(row) is None:
                times[row] = None if seconds is None else _in_unit(table, row, unit.seconds)
        memory = dict(table.memory) | memory
    measured = _measured([table.measured for table in tables if table.measured])
    networks = [each.in_unit(table.unit.seconds / unit.seconds) for table in tables for each in table.calibration]
    return Table(unit, times, measured, memory=memory, calibration=tuple(networks))


def _in_unit(table: Table, row: Row, unit_s: float) -> float | None:
    """As it is written where the units are the same."""
    seconds = table.seconds(row)
    return table.times[row] if seconds is None or table.unit.seconds == unit_s else seconds / unit_s


def _measured(heads: Sequence[Measurement]) -> Measurement | None:
    if not heads:
        return None
    named = {name: _joined(getattr(head, name) for head in heads) for name in MIXABLE}
    scale = merge_scales([head.scale for head in heads if head.scale])
    return heads[0].model_copy(update={**named, "rounds": min(head.rounds for head in heads), "scale": scale})


def _joined(texts: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(texts))


def merge_scales(scales: Sequence[Scale]) -> Scale | None:
    """The mean factor, each weighing as many networks as it was fitted on, and a bound on the mean error with it.

    |f p / m - 1| <= f / g |g p / m - 1| + |f / g - 1| for a network that has the factor g.
    """
    if not scales:
        return None
    networks = sum(scale.networks for scale in scales)
    factor = fsum(scale.factor * scale.networks for scale in scales) / networks
    bounds = [
        (factor / scale.factor * scale.error + abs(factor / scale.factor - 1)) * scale.networks for scale in scales
    ]
    return Scale(factor=factor, error=fsum(bounds) / networks, networks=networks)
