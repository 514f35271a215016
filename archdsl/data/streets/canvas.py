"""The canvas of a scene: a camera, an image and its labels.

Distances are metres, on the image heights of it. X is to the right, Y up from the ground, Z away from the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats: TypeAlias = "NDArray[np.floating[Any]]"
Mask: TypeAlias = "NDArray[np.bool_]"
Random: TypeAlias = np.random.Generator

_TILE: Final = 256
"""Pixels of the noise that every surface is grained with; it repeats."""


class Label(IntEnum):
    SKY = 0
    BUILDING = 1
    POLE = 2
    ROAD = 3
    PAVEMENT = 4
    TREE = 5
    SIGN = 6
    FENCE = 7
    CAR = 8
    PERSON = 9
    CYCLIST = 10


@dataclass(frozen=True, slots=True)
class Camera:
    focal: float
    """Of the image's height."""
    height_m: float
    horizon: float
    """Where the street vanishes, from the top, of the image's height."""
    aside: float
    """And from its middle."""
    roll: float
    """Radians."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of the image, with the metres of each pixel on an upright plane that faces the camera."""

    rows: slice
    columns: slice
    across: Floats
    up: Floats


class Canvas:
    """An image that is painted from back to front, and its labels."""

    def __init__(self, size: tuple[int, int], camera: Camera, random: Random) -> None:
        height, width = size
        self.size, self.camera = size, camera
        self.colours: Floats = np.zeros((height, width, 3), dtype=np.float32)
        self.labels = np.zeros((height, width), dtype=np.uint8)
        self._begin = random.integers(_TILE, size=2, dtype=np.int32)
        row, column = np.mgrid[:height, :width].astype(np.float32)
        x, y = (column + 0.5 - width / 2) / height - camera.aside, (row + 0.5) / height - camera.horizon
        turn, lift = np.float32(np.cos(camera.roll)), np.float32(np.sin(camera.roll))
        self.x: Floats = turn * x + lift * y
        """From the vanishing point to the right, of the image's height."""
        self.y: Floats = turn * y - lift * x
        """And down."""

    def grain(self, a: Floats, b: Floats, per_metre: float) -> Floats:
        """Noise, around 0, that sticks to a surface with the coordinates a and b."""
        begin_a, begin_b = self._begin
        return noise()[_wrapped(a, per_metre, begin_a), _wrapped(b, per_metre, begin_b)]

    def upright(self, z: float, x: tuple[float, float], y: tuple[float, float]) -> Patch | None:
        """The visible part of a rectangle at a distance in metres; None where there is none."""
        height, width = self.size
        camera, near = self.camera, self.camera.focal / z
        turn, lift = np.cos(camera.roll), np.sin(camera.roll)
        corners = [(a * near, (camera.height_m - b) * near) for a in x for b in y]
        columns = [(turn * a - lift * b + camera.aside) * height + width / 2 for a, b in corners]
        rows = [(turn * b + lift * a + camera.horizon) * height for a, b in corners]
        down, along = _between(rows, height), _between(columns, width)
        if down.start >= down.stop or along.start >= along.stop:
            return None
        return Patch(down, along, self.x[down, along] / near, camera.height_m - self.y[down, along] / near)

    def paint(self, patch: Patch, mask: Mask, colour: Floats, label: Label) -> None:
        """`colour` is 3, or HxWx3 of the patch."""
        np.copyto(self.colours[patch.rows, patch.columns], colour, where=mask[..., None])
        self.labels[patch.rows, patch.columns][mask] = label

    def tint(self, patch: Patch, mask: Mask, colour: Floats) -> None:
        """Colour without a label of its own: windows, markings, shadows."""
        np.copyto(self.colours[patch.rows, patch.columns], colour, where=mask[..., None])

    def everywhere(self) -> Patch:
        return Patch(slice(None), slice(None), self.x, self.y)


@cache
def noise() -> Floats:
    """A tile of noise with structure at several scales, mean 0, deviation 1: one for all, begun anywhere."""
    random = np.random.default_rng(0)
    total = np.zeros((_TILE, _TILE), dtype=np.float32)
    for cells, weight in ((16, 1.0), (32, 0.9), (64, 0.8), (128, 0.7), (256, 0.6)):
        coarse = random.standard_normal((cells, cells), dtype=np.float32)
        fine = Image.fromarray(coarse).resize((_TILE, _TILE), Image.Resampling.BILINEAR)
        total += weight * np.asarray(fine)
    return (total - total.mean()) / total.std()


def clouds(size: tuple[int, int], random: Random) -> Floats:
    """HxW: soft noise around 0, wider than high."""
    height, width = size
    total = np.zeros(size, dtype=np.float32)
    for cells, weight in ((3, 1.0), (9, 0.5), (27, 0.25)):
        coarse = Image.fromarray(random.standard_normal((2 * cells, cells), dtype=np.float32))
        total += weight * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    return total


def _wrapped(metres: Floats, per_metre: float, begin: np.int32) -> NDArray[np.int32]:
    # Close to the horizon the ground is farther away than any whole number: what is seen there is noise anyway.
    return (np.clip(metres * per_metre, -1e6, 1e6).astype(np.int32) + begin) & (_TILE - 1)


def _between(ends: Sequence[float], extent: int) -> slice:
    return slice(max(0, int(min(ends)) - 1), min(extent, int(max(ends)) + 2))
