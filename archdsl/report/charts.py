"""Line charts as SVG: axes with ticks, raw values faint behind smoothed ones, each line with its name at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final, TypeAlias

from archdsl.report.axes import Axis, spelled, ticks
from archdsl.report.markup import NOTHING, Html, element

Points: TypeAlias = "tuple[tuple[float, float], ...]"

WIDTH: Final = 460.0
HEIGHT: Final = 250.0
_TOP: Final = 16.0
_BOTTOM: Final = 34.0
_LEFT: Final = 52.0
_LETTER: Final = 6.4
"""The width of a letter of a label, about."""
_LINE: Final = 15.0
"""The least distance of two labels."""
_LONGEST: Final = 22
"""Letters of a label; a longer one has its end left out, and is whole in its title."""
_POINTS: Final = 240
"""More points than these are drawn as the least and the greatest of as many stretches."""
_SMOOTHED_OVER: Final = 40
"""A line with more points than these is smoothed: by an exponential moving average over a fortieth of them."""
_NAMED: Final = 12
"""So many lines have their names beside them; those of more are found under the pointer."""
COLOURS: Final = 6
"""Colours and dashes of lines (`style.css` has them)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Values by step."""

    name: str
    points: Points
    """(step, value), in the order of steps."""
    dots: bool = False
    """Whether each value is marked: there are few of them."""
    exact: bool = False
    """Whether its values are no measurements, which are smoothed where there are many."""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    lines: tuple[Line, ...]
    unit: str = ""
    log: bool = False
    """Whether the vertical axis is logarithmic; values that are not positive are left out."""
    span: tuple[float, float] | None = None
    """The steps from left to right; by default those of the lines."""
    within: tuple[float, float] | None = None
    """Values that the axis has at least, such as 0 and 1."""
    along: str = "step"
    """What the horizontal axis counts."""
    marks: tuple[tuple[float, str], ...] = ()
    """Steps at which something begins, with its name."""


def chart_svg(chart: Chart) -> Html:
    """The chart; empty where there is no value to draw."""
    lines = [_positive(line) for line in chart.lines] if chart.log else list(chart.lines)
    drawn = [line for line in lines if line.points]
    if not drawn:
        return NOTHING
    return _Drawing(chart, tuple(drawn)).svg()


def smoothed(points: Points) -> Points:
    """The exponential moving average, corrected for its start (Kingma and Ba, 2015, section 3)."""
    keep = 1 - min(1.0, _SMOOTHED_OVER / max(1, len(points)))
    mean, weight, found = 0.0, 0.0, list[tuple[float, float]]()
    for x, y in points:
        mean, weight = keep * mean + (1 - keep) * y, keep * weight + (1 - keep)
        found.append((x, mean / weight))
    return tuple(found)


def thinned(points: Points, most: int = _POINTS) -> Points:
    """At most about `most` points that look the same: of each stretch its least and greatest value; both ends stay."""
    if len(points) <= most:
        return points
    length = ceil(2 * len(points) / most)
    kept = {0, len(points) - 1}
    for start in range(0, len(points), length):
        stretch = range(start, min(start + length, len(points)))
        kept |= {min(stretch, key=lambda at: points[at][1]), max(stretch, key=lambda at: points[at][1])}
    return tuple(points[at] for at in sorted(kept))


def _positive(line: Line) -> Line:
    return replace(line, points=tuple((x, y) for x, y in line.points if y > 0))


@dataclass(frozen=True, slots=True)
class _Drawing:
    chart: Chart
    lines: tuple[Line, ...]

    def svg(self) -> Html:
        longest = max(len(short_name(line.name)) for line in self.lines)
        right = WIDTH - 14 - (_LETTER * longest if self.named else _LETTER)
        steps = self.chart.span or [x for line in self.lines for x, _ in line.points]
        values = [y for line in self.lines for _, y in line.points]
        x_axis = Axis.of(steps, _LEFT, right)
        y_axis = Axis.of([*values, *(self.chart.within or ())], HEIGHT - _BOTTOM, _TOP, log=self.chart.log).rounded()
        title = f"{self.chart.title}: {', '.join(map(_ends, self.lines))}"
        return element(
            "svg",
            element("title", title),
            *self._grid(x_axis, y_axis),
            *self._marks(x_axis),
            *(part for at, line in enumerate(self.lines) for part in _curve(line, at, x_axis, y_axis)),
            *(self._labels(x_axis, y_axis) if self.named else ()),
            viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
            role="img",
            class_="chart",
            data_x=f"{x_axis.low:g} {x_axis.high:g} {x_axis.start:g} {x_axis.end:.2f}",
            data_y=f"{y_axis.low:.9g} {y_axis.high:.9g} {y_axis.start:g} {y_axis.end:g}",
            data_log="yes" if self.chart.log else None,
        )

    @property
    def named(self) -> bool:
        """Whether lines have their names at their ends: not the only one, which the title names, nor too many."""
        return 1 < len(self.lines) <= _NAMED

    def _grid(self, x_axis: Axis, y_axis: Axis) -> list[Html]:
        found: list[Html] = []
        for value in y_axis.ticks():
            y = y_axis.at(value)
            found.append(element("line", x1=x_axis.start, x2=x_axis.end, y1=y, y2=y, class_="grid"))
            found.append(element("text", spelled(value), x=_LEFT - 6, y=y + 4, class_="tick", text_anchor="end"))
        base = y_axis.start
        found.append(element("line", x1=x_axis.start, x2=x_axis.end, y1=base, y2=base, class_="axis"))
        for value in ticks(x_axis.low, x_axis.high, 4):
            if value != int(value):
                continue  # there is no half step
            x = x_axis.at(value)
            found.append(element("line", x1=x, x2=x, y1=base, y2=base + 4, class_="axis"))
            found.append(element("text", spelled(value), x=x, y=base + 17, class_="tick", text_anchor="middle"))
        found.append(element("text", self.chart.along, x=WIDTH - 2, y=base + 30, class_="tick", text_anchor="end"))
        return found

    def _marks(self, axis: Axis) -> list[Html]:
        found: list[Html] = []
        for step, name in self.chart.marks:
            x = axis.at(step)
            found.append(element("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM, class_="mark"))
            found.append(element("text", short_name(name), x=x + 3, y=_TOP - 4, class_="tick"))
        return found

    def _labels(self, x_axis: Axis, y_axis: Axis) -> list[Html]:
        """The names of the lines at their ends, apart from each other."""
        ends = sorted((y_axis.at(_drawn(line)[-1][1]), at) for at, line in enumerate(self.lines))
        places = apart([y for y, _ in ends], _TOP, HEIGHT - _BOTTOM)
        found: list[Html] = []
        for (_, at), y in zip(ends, places, strict=True):
            name = self.lines[at].name
            label = element(
                "text", short_name(name), element("title", name), x=x_axis.end + 8, y=y + 4, class_=_class(at)
            )
            found.append(label)
        return found


def _curve(line: Line, at: int, x_axis: Axis, y_axis: Axis) -> list[Html]:
    found: list[Html] = []
    drawn = _drawn(line)
    if drawn != line.points:
        found.append(_path(thinned(line.points), "raw " + _class(at), x_axis, y_axis))
    found.append(_path(thinned(drawn), "curve " + _class(at), x_axis, y_axis, name=line.name))
    if line.dots or len(drawn) == 1:
        for x, y in drawn:
            title = element("title", f"{line.name} at step {x:g}: {y:.5g}".strip())
            found.append(element("circle", title, cx=x_axis.at(x), cy=y_axis.at(y), r=2.6, class_="dot " + _class(at)))
    return found


def _drawn(line: Line) -> Points:
    measured = not (line.dots or line.exact)
    return smoothed(line.points) if measured and len(line.points) > _SMOOTHED_OVER else line.points


def _path(points: Points, class_: str, x_axis: Axis, y_axis: Axis, name: str | None = None) -> Html:
    written = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
    return element("polyline", points=written, class_=class_, data_name=name)


def _class(at: int) -> str:
    return f"line{at % COLOURS}"


def short_name(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _ends(line: Line) -> str:
    return f"{line.name} {line.points[-1][1]:.4g}".strip()


def apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Places near the wanted ones, which are in order, at least a line apart and, where they fit, inside."""
    found: list[float] = []
    for y in wanted:
        found.append(max(y, found[-1] + _LINE) if found else max(y, top))
    below = bottom
    for at in reversed(range(len(found))):
        found[at] = min(found[at], below)
        below = found[at] - _LINE
    return found
