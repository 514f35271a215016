"""Accuracy against cost, with the front: the points of which no other one is cheaper and as good (CAS, figure 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.report.axes import Axis, spelled
from archdsl.report.charts import HEIGHT, WIDTH, short_name
from archdsl.report.markup import NOTHING, Html, element

_LEFT: Final = 52.0
_RIGHT: Final = 16.0
_TOP: Final = 16.0
_BOTTOM: Final = 46.0
_NAMED: Final = 12
"""So many points of a front have their names beside them; of more, titles tell."""


@dataclass(frozen=True, slots=True)
class Point:
    name: str
    cost: float
    score: float
    link: str = ""
    """The anchor of what is known about it."""


def front(points: Sequence[Point]) -> list[Point]:
    """Those that no other point dominates, the cheapest first; of equal ones the first."""
    found: list[Point] = []
    for point in sorted(points, key=lambda each: (each.cost, -each.score)):
        if not found or point.score > found[-1].score:
            found.append(point)
    return found


def scatter_svg(points: Sequence[Point], cost: str, score: str) -> Html:
    """All points, the front joined; empty without points."""
    if not points:
        return NOTHING
    x_axis = _roomy(Axis.of([each.cost for each in points], _LEFT, WIDTH - _RIGHT))
    y_axis = _roomy(Axis.of([each.score for each in points], HEIGHT - _BOTTOM, _TOP))
    best = front(points)
    parts: list[Html] = [element("title", f"{score} against {cost}: {len(points)} points, {len(best)} on the front")]
    base = y_axis.start
    for value in y_axis.ticks():
        y = y_axis.at(value)
        parts.append(element("line", x1=x_axis.start, x2=x_axis.end, y1=y, y2=y, class_="grid"))
        parts.append(element("text", spelled(value), x=_LEFT - 6, y=y + 4, class_="tick", text_anchor="end"))
    parts.append(element("line", x1=x_axis.start, x2=x_axis.end, y1=base, y2=base, class_="axis"))
    for value in x_axis.ticks():
        x = x_axis.at(value)
        parts.append(element("line", x1=x, x2=x, y1=base, y2=base + 4, class_="axis"))
        parts.append(element("text", spelled(value), x=x, y=base + 17, class_="tick", text_anchor="middle"))
    parts.append(element("text", cost, x=WIDTH - _RIGHT, y=base + 34, class_="tick", text_anchor="end"))
    way = " ".join(f"{x_axis.at(each.cost):.1f},{y_axis.at(each.score):.1f}" for each in best)
    parts.append(element("polyline", points=way, class_="front"))
    parts += [_dot(each, x_axis, y_axis, best=each in best, cost=cost, score=score) for each in points]
    if len(best) <= _NAMED:
        parts += [_name(each, x_axis, y_axis) for each in best]
    return element("svg", *parts, viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", class_="chart")


def _roomy(axis: Axis) -> Axis:
    room = 0.06 * (axis.high - axis.low)
    return Axis(axis.low - room, axis.high + room, axis.start, axis.end)


def _dot(point: Point, x_axis: Axis, y_axis: Axis, *, best: bool, cost: str, score: str) -> Html:
    title = f"{point.name}: {score} {point.score:.5g}, {cost} {point.cost:.5g}{', on the front' if best else ''}"
    circle = element(
        "circle",
        element("title", title),
        cx=x_axis.at(point.cost),
        cy=y_axis.at(point.score),
        r=4.5 if best else 3.2,
        class_="line0 best" if best else "line5",
    )
    return element("a", circle, href=f"#{point.link}") if point.link else circle


def _name(point: Point, x_axis: Axis, y_axis: Axis) -> Html:
    x, y = x_axis.at(point.cost), y_axis.at(point.score)
    left = x > (x_axis.start + x_axis.end) / 2
    anchor = "end" if left else "start"
    return element(
        "text", short_name(point.name), x=x - 8 if left else x + 8, y=y - 9, class_="tick", text_anchor=anchor
    )
