"""Ways of lines that are placed by hand, as Bezier splines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.render.model.picture import Point


def straight(start: Point, end: Point) -> tuple[Point, ...]:
    return (start, _between(start, end, 1 / 3), _between(start, end, 2 / 3), end)


def swung(start: Point, end: Point) -> tuple[Point, ...]:
    """Leaves and arrives level."""
    reach = (end[0] - start[0]) * 0.55
    return (start, (start[0] + reach, start[1]), (end[0] - reach, end[1]), end)


def joined(start: Point, end: Point, size: Point) -> tuple[Point, ...]:
    """From the middle of one box of this size to that of another: down or up a column, over the boxes of a row."""
    width, height = size[0] / 2, size[1] / 2
    if start[0] == end[0]:
        side = height if end[1] > start[1] else -height
        return straight((start[0], start[1] + side), (end[0], end[1] - side))
    if start[1] == end[1] and abs(end[0] - start[0]) > 3 * size[0] / 2:
        over = start[1] + height + 0.06 * abs(end[0] - start[0]) + 8
        reach = (end[0] - start[0]) * 0.2
        first, last = (start[0] + width / 2, start[1] + height), (end[0] - width / 2, end[1] + height)
        return (first, (first[0] + reach, over), (last[0] - reach, over), last)
    side = width if end[0] > start[0] else -width
    return swung((start[0] + side, start[1]), (end[0] - side, end[1]))


def bent(corners: Sequence[Point], radius: float = 7) -> tuple[Point, ...]:
    """Straight between corners, which are rounded."""
    found: list[Point] = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        entry, leave = _towards(corner, before, radius), _towards(corner, after, radius)
        found += straight(found[-1], entry)[1:]
        found += [_between(entry, corner, 0.55), _between(leave, corner, 0.55), leave]
    return (*found, *straight(found[-1], corners[-1])[1:])


def moved(way: Sequence[Point], up: float) -> tuple[Point, ...]:
    return tuple((x, y + up) for x, y in way)


def length(corners: Sequence[Point]) -> float:
    return sum(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 for a, b in pairwise(corners))


def _between(start: Point, end: Point, part: float) -> Point:
    return (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))


def _towards(start: Point, end: Point, distance: float) -> Point:
    whole = length((start, end))
    return _between(start, end, min(0.5, distance / whole) if whole else 0)
