"""Axes of a plot: round ticks, and where a number lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from archdsl.render.model.picture import FAINT, Line, Point, Stroke
from archdsl.render.model.splines import straight

_TICKS: Final = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """One scale, from its first tick to its last."""

    ticks: tuple[float, ...]
    digits: int
    length: float
    """In points."""

    @classmethod
    def over(cls, numbers: Sequence[float], length: float, *, share: float = 0.2) -> Axis:
        """One that covers numbers from 0 on, and at least this share of the largest."""
        low, high = min(numbers), max(numbers)
        if high - low < share * high:
            low, high = (1 - share / 2) * low, (1 + share / 2) * high
        rough = (high - low or 1.0) / _TICKS
        power = 10.0 ** floor(log10(rough))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
        ticks = tuple(number * step for number in range(floor(low / step), ceil(high / step) + 1))
        return cls(ticks, max(0, -floor(log10(step))), length)

    def at(self, number: float) -> float:
        """Points from the beginning of the axis."""
        return self.length * (number - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])

    def spelled(self, tick: float) -> str:
        return f"{tick:,.{self.digits}f}"


def rule(name: str, start: Point, end: Point, stroke: Stroke | None = None) -> Line:
    """A line that joins nothing."""
    return Line(name, name, stroke=stroke or Stroke(FAINT, width=0.5), arrow=False, way=straight(start, end))
