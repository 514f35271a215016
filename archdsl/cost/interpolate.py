"""Times of rows that were not measured, between those that were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp, log
from typing import Final, TypeAlias

from archdsl.cost.rows import Row
from archdsl.cost.tables import Table

_CHANNELS: Final = re.compile(r"(?<=\bc = )\d+")
_NEAR: Final = 0.05
"""Numbers that go together in all measured rows (height and width) have to do so here, within this share."""

_Axis: TypeAlias = "tuple[int, ...]"
"""Places of a point whose numbers go together in all measured rows."""
_Point: TypeAlias = "tuple[int, ...]"
"""Of a row: channels, heights and widths of what it reads, and channel counts in its body."""


def with_interpolated(table: Table, rows: Iterable[Row]) -> Table:
    """The table with times for those of `rows` that lie between measured ones; it may have such times already.

    These are rows whose bodies differ in channel counts alone. The logarithm of the time is taken to be linear in the
    logarithm of each number between the nearest measured ones, and nothing is said beyond them.
    """
    missing = table.missing(rows)
    if not missing:
        return table
    families: dict[object, dict[_Point, float]] = {}
    for row, time in table.times.items():
        if time is not None and row not in table.interpolated:
            kind, point = _placed(row)
            families.setdefault(kind, {})[point] = time
    found: dict[Row, float] = {}
    for row in missing:
        kind, point = _placed(row)
        if kind in families and (time := _between(families[kind], point)) is not None:
            found[row] = time
    return replace(table, times={**table.times, **found}, interpolated=table.interpolated | found.keys())


def _placed(row: Row) -> tuple[object, _Point]:
    """What rows of one family have in common, and what they differ in."""
    numbers = [length for shape in row.reads for length in shape.split("x")] + _CHANNELS.findall(row.body)
    return (_CHANNELS.sub("", row.body), len(row.reads)), tuple(map(int, numbers))


def _between(points: Mapping[_Point, float], point: _Point) -> float | None:
    """The time at a point; None where measured ones do not lie around it."""
    found = _log_time({each: log(time) for each, time in points.items()}, point, _axes(tuple(points), len(point)))
    return None if found is None else exp(found)


def _log_time(points: Mapping[_Point, float], point: _Point, axes: Sequence[_Axis]) -> float | None:
    """Along the first axis between the nearest places for which something is known along the others."""
    if not axes:
        return next(iter(points.values()), None)
    (axis, *others), layers = axes, dict[_Point, dict[_Point, float]]()
    for each, time in points.items():
        layers.setdefault(_at(each, axis), {})[each] = time
    wanted = _at(point, axis)
    if wanted in layers and (found := _log_time(layers[wanted], point, others)) is not None:
        return found
    below = sorted((numbers for numbers in layers if numbers[0] < wanted[0]), reverse=True)
    above = sorted(numbers for numbers in layers if numbers[0] > wanted[0])
    known = [
        next(((each, time) for each in side if (time := _log_time(layers[each], point, others)) is not None), None)
        for side in (below, above)
    ]
    if known[0] is None or known[1] is None:
        return None
    (low, low_time), (high, high_time) = known[0], known[1]
    share = log(wanted[0] / low[0]) / log(high[0] / low[0])
    if any(
        abs(log(n) - (1 - share) * log(a) - share * log(b)) > _NEAR for n, a, b in zip(wanted, low, high, strict=True)
    ):
        return None
    return (1 - share) * low_time + share * high_time


def _at(point: _Point, axis: _Axis) -> _Point:
    return tuple(point[place] for place in axis)


def _axes(points: Sequence[_Point], length: int) -> Sequence[_Axis]:
    """Places that determine each other in all points are one axis."""
    groups: list[list[int]] = []
    for place in range(length):
        together = next((group for group in groups if _go_together(points, group[0], place)), None)
        if together is None:
            groups.append([place])
        else:
            together.append(place)
    return [tuple(group) for group in groups]


def _go_together(points: Sequence[_Point], one: int, other: int) -> bool:
    """Whether a larger number at one place is always a larger one at the other."""
    pairs = sorted({(point[one], point[other]) for point in points})
    return all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
