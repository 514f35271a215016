"""Colours of a district, of a scene and of what stands in it: none belongs to one class."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Final

import numpy as np

from archdsl.data.streets.canvas import Floats, Random

_COLOURS: Final = 7


@dataclass(frozen=True, slots=True)
class Paints:
    """Every surface of a scene takes one of these: roads as cars do, and the sky as walls."""

    colours: tuple[Floats, ...]

    @classmethod
    def of(cls, district: Random, scene: Random) -> Paints:
        """Some that the scenes of a district share, and as many of this scene alone."""
        return cls(tuple(_colour(random) for random in (district, scene) for _ in range(_COLOURS)))

    def any(self, random: Random) -> Floats:
        chosen = self.colours[int(random.integers(len(self.colours)))]
        return np.clip(chosen + random.normal(0, 0.05, 3).astype(np.float32), 0, 1)

    def two(self, random: Random, apart: float = 0.15) -> tuple[Floats, Floats]:
        """Two that can be told apart."""
        first = self.any(random)
        second = self.any(random)
        if np.abs(first - second).max() < apart:
            second = shaded(first, 0.55 if first.mean() > 0.45 else 1.9)
        return first, second


def shaded(colour: Floats, by: float) -> Floats:
    return np.clip(colour * np.float32(by), 0, 1)


def _colour(random: Random) -> Floats:
    hue, saturation, value = random.uniform(0, 1), random.uniform(0, 0.55), random.uniform(0.25, 0.95)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), dtype=np.float32)
