"""What a cost table predicts against what was measured (FasterSeg, figure 3), and which ops the time is spent in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import INK, MUTED, Box, Dash, Line, Outline, Picture, Point, Stroke, Text
from archdsl.render.views.axis import Axis, rule
from archdsl.render.views.legends import text_box
from archdsl.render.views.shares import percent

_SIDE: Final = 320.0
"""Of the square with the points."""
_MARGIN: Final = 26.0
_BARS: Final = _SIDE + 200.0
"""Where the bars begin."""
_NAMES: Final = 130.0
"""So far before them their names begin."""
_BAR: Final = 220.0
"""The length of the longest bar."""
_MOST_BARS: Final = 14
_NEAR: Final = 0.1
_POINT: Final = "#0072B2"


@dataclass(frozen=True, slots=True)
class Predicted:
    """A network; both times in one unit."""

    name: str
    measured: float
    predicted: float


def prediction_picture(
    title: str, about: Sequence[str], unit: str, networks: Sequence[Predicted], ops: Mapping[str, float]
) -> Picture:
    """The picture of at least one network. `ops` are times by op, of which the bars are shares; `about` small lines."""
    axis = Axis.over([time for each in networks for time in (each.measured, each.predicted)], _SIDE)
    top = _SIDE + 46 + 13 * len(about)
    boxes = [text_box("title", Text(title, 14, bold=True), (0, top + 16))]
    boxes += [text_box(f"about {number}", small(line, 9), (0, top - 13 * number)) for number, line in enumerate(about)]
    lines: list[Line] = []
    for part in (_plane(axis, unit), _points(axis, networks), _bars(ops, unit, len(networks))):
        boxes += part[0]
        lines += part[1]
    return Picture(title, tuple(boxes), tuple(lines), flow=None)


def _plane(axis: Axis, unit: str) -> tuple[list[Box], list[Line]]:
    boxes = [
        text_box("legend predicted", Text(f"predicted, {unit}", 10), (-_MARGIN, _SIDE + 16)),
        text_box("legend measured", Text(f"measured, {unit}", 10), (_SIDE - 70, -34)),
    ]
    lines: list[Line] = []
    for number, tick in enumerate(axis.ticks):
        at, label = axis.at(tick), small(axis.spelled(tick), 9)
        boxes.append(Box(f"legend x {number}", (label,), Outline.PLAIN, at=(at, -14)))
        boxes.append(Box(f"legend y {number}", (label,), Outline.PLAIN, at=(-18, at)))
        lines += [rule("legend x 0", (at, 0), (at, _SIDE)), rule("legend y 0", (0, at), (_SIDE, at))]
    lines.append(rule("legend x 0", *_clipped(axis, 1.0), Stroke(INK, width=1.2)))
    for ratio in (1 - _NEAR, 1 + _NEAR):
        lines.append(rule("legend x 0", *_clipped(axis, ratio), Stroke(MUTED, Dash.DOTTED, 1.2)))
    about = f"line: predicted as measured; dotted: {100 * _NEAR:.0f} % off"
    boxes.append(text_box("legend lines", small(about, 9), (0, -34)))
    return boxes, lines


def _clipped(axis: Axis, ratio: float) -> tuple[Point, Point]:
    """The line on which a prediction is so many times what was measured, inside of the square."""
    first, last = axis.ticks[0], axis.ticks[-1]
    start, end = max(first, first / ratio), min(last, last / ratio)
    return (axis.at(start), axis.at(start * ratio)), (axis.at(end), axis.at(end * ratio))


def _points(axis: Axis, networks: Sequence[Predicted]) -> tuple[list[Box], list[Line]]:
    """A dot for each network, which a viewer names on hover."""
    return [
        Box(
            f"{each.name}: measured {each.measured:.4g}, predicted {each.predicted:.4g}",
            outline=Outline.DOT,
            stroke=Stroke("#ffffff", width=0.6),
            fill=_POINT,
            at=(axis.at(each.measured), axis.at(each.predicted)),
            size=(8, 8),
        )
        for each in networks
    ], []


def _bars(ops: Mapping[str, float], unit: str, networks: int) -> tuple[list[Box], list[Line]]:
    """Ops by their share of the time, the slowest first; the last bar is that of all others."""
    ranked = sorted(ops.items(), key=lambda each: -each[1])
    if len(ranked) > _MOST_BARS:
        rest = ranked[_MOST_BARS - 1 :]
        ranked = [*ranked[: _MOST_BARS - 1], (f"{len(rest)} others", sum(time for _, time in rest))]
    total, longest = sum(ops.values()), max(time for _, time in ranked)
    row = min(24.0, _SIDE / len(ranked))
    kind = "the network" if networks == 1 else f"{networks} networks, on average"
    heading = Text(f"time by op, predicted for {kind}", 10)
    boxes = [text_box("legend ops", heading, (_BARS - _NAMES, _SIDE + 16))]
    for number, (op, time) in enumerate(ranked):
        y, length = _SIDE - (number + 0.5) * row, max(1.0, _BAR * time / longest)
        value = f"{percent(time / total)}, {time / networks:#.3g} {unit}"
        boxes += [
            text_box(f"legend op {number}", Text(wrapped(op, 24, 1)[0], 9), (_BARS - _NAMES, y)),
            Box(
                f"{op}: {value}",
                outline=Outline.BOX,
                stroke=Stroke(_POINT, width=0.5),
                fill=_POINT,
                at=(_BARS + length / 2, y),
                size=(length, 0.6 * row),
            ),
            text_box(f"legend share {number}", small(value, 9), (_BARS + length + 8, y)),
        ]
    return boxes, []
