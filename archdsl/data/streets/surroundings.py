"""The surroundings of a scene: sky, road, pavements, houses on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from archdsl.data.streets.canvas import Canvas, Floats, Label, Mask, Patch, Random, clouds
from archdsl.data.streets.paints import Paints, shaded

_FLOOR_M: Final = 3.0


@dataclass(frozen=True, slots=True)
class Street:
    """Where things may stand, in metres from the camera's line of sight."""

    left_kerb: float
    right_kerb: float
    left_wall: float
    right_wall: float
    end: float
    """How far away the street ends at a house."""

    @classmethod
    def of(cls, random: Random) -> Street:
        lanes = random.integers(1, 4) * random.uniform(2.6, 3.6)
        left = -random.uniform(0.25, 0.75) * lanes - 0.8
        right = left + lanes + 1.6
        return cls(left, right, left - random.uniform(1.5, 6), right + random.uniform(1.5, 6), random.uniform(35, 120))


def paint_sky(canvas: Canvas, paints: Paints, random: Random) -> None:
    """From one colour to another, with clouds."""
    above, below = paints.any(random), paints.any(random)
    share = np.clip(0.5 - canvas.y, 0, 1)[..., None]
    sky = below + (above - below) * share
    sky = sky + random.uniform(0, 0.12) * clouds(canvas.size, random)[..., None]
    canvas.paint(canvas.everywhere(), canvas.y < 1, sky, Label.SKY)


def paint_ground(canvas: Canvas, street: Street, paints: Paints, random: Random) -> None:
    """Road with its markings, pavements with their slabs."""
    camera = canvas.camera
    z = camera.height_m * camera.focal / np.maximum(canvas.y, 1e-3)
    x = canvas.x * z / camera.focal
    ground = canvas.y > 0
    everywhere = canvas.everywhere()
    road, stone = paints.any(random), paints.any(random)
    slab = random.uniform(0.6, 1.6)
    joints = (x / slab % 1 < 0.1) | (z / slab % 1 < 0.1)
    grain = canvas.grain(x, z, 30)[..., None]
    pavement = stone * (1 + 0.06 * grain)
    canvas.paint(everywhere, ground, pavement, Label.PAVEMENT)
    fades = ground & joints & (z < 40 * slab)  # further off the joints are finer than pixels
    canvas.tint(everywhere, fades, shaded(stone, random.choice([0.6, 1.4])))
    on_road = ground & (x > street.left_kerb) & (x < street.right_kerb)
    canvas.paint(everywhere, on_road, road * (1 + random.uniform(0.03, 0.12) * grain), Label.ROAD)
    _mark(canvas, street, x, z, on_road, paints, random)


def _mark(canvas: Canvas, street: Street, x: Floats, z: Floats, on_road: Mask, paints: Paints, random: Random) -> None:
    lanes = int(random.integers(1, 4))
    lane = (x - street.left_kerb) / (street.right_kerb - street.left_kerb) * lanes
    near_line = np.abs(lane - np.round(lane)) * (street.right_kerb - street.left_kerb) / lanes < 0.09
    dashes = z / random.uniform(4, 8) % 1 < 0.5
    kerb = shaded(paints.any(random), 1.2)
    lines = on_road & near_line & dashes & (lane > 0.5) & (lane < lanes - 0.5)
    canvas.tint(canvas.everywhere(), lines, kerb)
    if random.random() < 0.3:
        at = random.uniform(8, 25)
        stripes = on_road & (np.abs(z - at) < 1.5) & (x % 1.0 < 0.5)
        canvas.tint(canvas.everywhere(), stripes, kerb)


def paint_houses(canvas: Canvas, street: Street, paints: Paints, random: Random) -> None:
    """A row of houses on each side, with gaps, and one where the street ends."""
    if random.random() < 0.8:
        _end(canvas, street, paints, random)
    camera = canvas.camera
    for wall in (street.left_wall, street.right_wall):
        with np.errstate(divide="ignore"):
            z = camera.focal * wall / canvas.x
        facing = (z > 0) & (z < street.end)
        y = camera.height_m - canvas.y * z / camera.focal
        near = random.uniform(-15, 0)
        while near < street.end:
            far = near + random.uniform(7, 22)
            if random.random() < 0.75:
                here = facing & (z >= near) & (z < far) & (y > 0)
                _house(canvas, here, z - near, y, random.uniform(4, 16), paints, random)
            near = far + (random.uniform(2, 12) if random.random() < 0.3 else 0)


def _end(canvas: Canvas, street: Street, paints: Paints, random: Random) -> None:
    z, camera = street.end, canvas.camera
    x = canvas.x * z / camera.focal
    y = camera.height_m - canvas.y * z / camera.focal
    left = random.uniform(-60, -10)
    while left < 60:
        right = left + random.uniform(8, 25)
        here = (y > 0) & (x > left) & (x < right)
        _house(canvas, here, x - left, y, random.uniform(5, 30), paints, random)
        left = right + (random.uniform(2, 10) if random.random() < 0.3 else 0)


def _house(canvas: Canvas, here: Mask, along: Floats, y: Floats, height: float, paints: Paints, random: Random) -> None:
    """A wall with rows of windows."""
    here = here & (y < height)
    rows, columns = np.nonzero(np.any(here, axis=1))[0], np.nonzero(np.any(here, axis=0))[0]
    wall, glass = paints.two(random)
    if not len(rows):
        return
    patch = Patch(slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1), along, y)
    window = (patch.rows, patch.columns)
    here, along, y = here[window], along[window], y[window]
    bay, share = random.uniform(1.6, 3.5), random.uniform(0.35, 0.7)
    across, up = along / bay % 1, y / _FLOOR_M % 1
    windows = (across > (1 - share) / 2) & (across < (1 + share) / 2) & (up > 0.25) & (up < 0.8)
    grain = canvas.grain(along, y, 40)[..., None]
    canvas.paint(patch, here, wall * (1 + 0.05 * grain), Label.BUILDING)
    canvas.tint(patch, here & windows & (y < height - 0.5), glass)
