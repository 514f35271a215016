"""Accuracy against cost (CAS, figure 5): every network of a sweep, and the front of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from archdsl.render.model.labels import small
from archdsl.render.model.picture import BRANCHES, INK, Box, Dash, Line, Outline, Picture, Point, Stroke, Text
from archdsl.render.views.axis import Axis, rule
from archdsl.render.views.legends import text_box

_WIDTH: Final = 520.0
_HEIGHT: Final = 340.0
_DOT: Final = 14.0
_LETTER: Final = 5.2
"""The width of a letter beside a point."""
_ROW: Final = 16.0


@dataclass(frozen=True, slots=True)
class Plotted:
    """A network."""

    name: str
    """Unique; it stands at the points of the front."""
    cost: float
    accuracy: float
    """In percent."""
    group: int
    """What it was found with; the position among the names of groups."""


def front_picture(
    title: str,
    about: Sequence[str],
    cost: str,
    groups: Sequence[str],
    networks: Sequence[Plotted],
    front: Sequence[Plotted],
) -> Picture:
    """At least one network, each a dot with the number of its group. `cost` is what the first axis is called.

    `front` are those that are joined by a line and named, the cheapest first; `about` small lines below the title.
    """
    x = Axis.over([each.cost for each in networks], _WIDTH)
    y = Axis.over([each.accuracy for each in networks], _HEIGHT, share=0.05)
    top = _HEIGHT + 46 + 13 * len(about)
    boxes = [text_box("title", Text(title, 14, bold=True), (0, top + 16))]
    boxes += [text_box(f"about {number}", small(line, 9), (0, top - 13 * number)) for number, line in enumerate(about)]
    dots = {each.name: (x.at(each.cost), y.at(each.accuracy)) for each in networks}
    boxes += [*_scales(x, y, cost), *_legend(groups)]
    # Those of the front last: of networks at one point the one that is named is seen.
    boxes += [_dot(each, dots[each.name]) for each in sorted(networks, key=lambda each: each in front)]
    boxes += _names(front, dots)
    lines = [*_grid(x, y), *_joined([dots[each.name] for each in front])]
    return Picture(title, tuple(boxes), tuple(lines), flow=None)


def colour(group: int) -> str:
    """The colour of a group; groups further apart than there are colours share one, and differ in their number."""
    return BRANCHES[group % len(BRANCHES)].colour


def _scales(x: Axis, y: Axis, cost: str) -> list[Box]:
    boxes = [
        text_box("legend accuracy", Text("accuracy, %", 10), (-26, _HEIGHT + 16)),
        text_box("legend cost", Text(cost, 10), (_WIDTH - 6.5 * len(cost), -34)),
        text_box("legend front", small("line: the front, which no other network beats in both", 9), (0, -34)),
    ]
    for number, tick in enumerate(x.ticks):
        boxes.append(Box(f"legend x {number}", (small(x.spelled(tick), 9),), Outline.PLAIN, at=(x.at(tick), -14)))
    for number, tick in enumerate(y.ticks):
        boxes.append(Box(f"legend y {number}", (small(y.spelled(tick), 9),), Outline.PLAIN, at=(-20, y.at(tick))))
    return boxes


def _grid(x: Axis, y: Axis) -> list[Line]:
    upright = [rule("legend x 0", (x.at(tick), 0), (x.at(tick), _HEIGHT)) for tick in x.ticks]
    return upright + [rule("legend y 0", (0, y.at(tick)), (_WIDTH, y.at(tick))) for tick in y.ticks]


def _legend(groups: Sequence[str]) -> list[Box]:
    boxes: list[Box] = []
    for number, name in enumerate(groups):
        at = (_WIDTH + 30, _HEIGHT - _ROW * (number + 0.5))
        boxes.append(_numbered(f"legend group {number}", number, at))
        boxes.append(text_box(f"legend name {number}", Text(name, 9), (at[0] + 14, at[1])))
    return boxes


def _dot(network: Plotted, at: Point) -> Box:
    return _numbered(f"{network.name}: {network.accuracy:.2f} % at {network.cost:.4g}", network.group, at)


def _numbered(name: str, group: int, at: Point) -> Box:
    label = (Text(str(group + 1), 8, bold=True, colour="#ffffff"),)
    stroke = Stroke("#ffffff", width=0.6)
    return Box(name, label, Outline.CIRCLE, stroke, colour(group), at=at, size=(_DOT, _DOT))


def _joined(points: Sequence[Point]) -> list[Line]:
    """Steps: between two networks of a front nothing more accurate than the cheaper one was found."""
    stroke = Stroke(INK, Dash.SOLID, 1.2)
    lines: list[Line] = []
    for (left, low), (right, high) in pairwise(points):
        lines += [rule("legend front", (left, low), (right, low), stroke)]
        lines += [rule("legend front", (right, low), (right, high), stroke)]
    return lines


def _names(front: Sequence[Plotted], dots: dict[str, Point]) -> list[Box]:
    """The names of a front beside its points, where they cover no point and no other name if there is such a place."""
    taken = [_around(at, _DOT, _DOT) for at in dots.values()]
    boxes: list[Box] = []
    for each in front:
        x, y = dots[each.name]
        width, height = _LETTER * len(each.name) + 4, 10.0
        places = [(x + side * (width / 2 + 10), y + up) for up in (-8, 8, -18, 18, -28) for side in (1, -1)]
        places = [at for at in places if at[0] - width / 2 > 0] or places
        at = next((at for at in places if not any(_meet(_around(at, width, height), other) for other in taken)), None)
        at = at or places[0]
        taken.append(_around(at, width, height))
        boxes.append(text_box(f"name {each.name}", Text(each.name, 8), (at[0] - width / 2, at[1])))
    return boxes


_Rectangle = tuple[float, float, float, float]


def _around(at: Point, width: float, height: float) -> _Rectangle:
    return (at[0] - width / 2, at[0] + width / 2, at[1] - height / 2, at[1] + height / 2)


def _meet(one: _Rectangle, other: _Rectangle) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
