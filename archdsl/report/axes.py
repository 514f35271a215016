"""Axes: where values stand, and the round numbers that are written at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float, *, log: bool = False) -> Axis:
        """With some room where all values are equal; a linear axis of values ends at round numbers."""
        low, high = min(values), max(values)
        if low == high:
            room = 0.5 * abs(low) or 0.5
            return cls(low - room, high + room, start, end, log)
        return cls(low, high, start, end, log)

    def at(self, value: float) -> float:
        if self.log:
            share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        return log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high)

    def rounded(self) -> Axis:
        """From the tick at or below the lowest value to the one at or above the highest."""
        if self.log:
            return self
        step = _round_step((self.high - self.low) / 5)
        low, high = floor(self.low / step + 1e-9) * step, ceil(self.high / step - 1e-9) * step
        return Axis(low, high, self.start, self.end)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two values, about so many."""
    step = _round_step((high - low) / count)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two values, with 2 and 5 times these where there are few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 3 else (1,)
    found = [factor * 10.0**power for power in powers for factor in factors]
    inside = [each for each in found if low * 0.999 <= each <= high * 1.001]
    return inside if len(inside) > 1 else [low, high]


def spelled(value: float) -> str:
    """A number as an axis has it: `12 k`, `0.05`, `1e-05`."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor * (10 if letter == "k" else 1):
            return f"{value / factor:.4g} {letter}"
    return f"{value:.4g}"


def _round_step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
