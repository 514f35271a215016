"""One street scene from its random numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from archdsl.data.model import Bytes, Example
from archdsl.data.streets.canvas import Camera, Canvas, Floats, Label, Random
from archdsl.data.streets.paints import Paints
from archdsl.data.streets.surroundings import Street, paint_ground, paint_houses, paint_sky
from archdsl.data.streets.things import THINGS

_NUMBERS: Final = {
    Label.TREE: (0, 7),
    Label.POLE: (1, 7),
    Label.FENCE: (0, 4),
    Label.CAR: (1, 7),
    Label.PERSON: (1, 8),
    Label.CYCLIST: (0, 4),
}
"""Of each thing at least so many, and fewer than so many."""
_NEAR_M: Final = {
    Label.TREE: 8.0,
    Label.POLE: 5.0,
    Label.FENCE: 6.0,
    Label.CAR: 6.0,
    Label.PERSON: 4.0,
    Label.CYCLIST: 4.0,
}
_FAR_M: Final = 35.0


def scene(size: tuple[int, int], district: Random, random: Random) -> Example:
    """A scene of this height and width; `district` gives the colours that it shares with its neighbours."""
    paints = Paints.of(district, random)
    camera = Camera(
        focal=random.uniform(0.7, 1.2),
        height_m=random.uniform(1.2, 2.6),
        horizon=random.uniform(0.22, 0.68),
        aside=random.uniform(-0.45, 0.45),
        roll=random.normal(0, 0.05),
    )
    canvas, street = Canvas(size, camera, random), Street.of(random)
    paint_sky(canvas, paints, random)
    paint_ground(canvas, street, paints, random)
    paint_houses(canvas, street, paints, random)
    for label, x, z in sorted(_placed(street, random), key=lambda each: -each[2]):
        THINGS[label](canvas, x, z, paints, random)
    return Example(_photographed(canvas.colours, random), canvas.labels)


def _placed(street: Street, random: Random) -> list[tuple[Label, float, float]]:
    """Things with their places, more of them near than far, for far away they are a few pixels each."""
    found: list[tuple[Label, float, float]] = []
    for label, (least, below) in _NUMBERS.items():
        for _ in range(int(random.integers(least, below))):
            near = _NEAR_M[label]
            z = near + (_FAR_M - near) * random.random() ** 1.8
            found.append((label, _beside(street, label, random), z))
    return found


def _beside(street: Street, label: Label, random: Random) -> float:
    """Mostly where it belongs; people cross roads, and cars stand on pavements."""
    on_road = random.random() < {Label.CAR: 0.85, Label.CYCLIST: 0.7, Label.PERSON: 0.25}.get(label, 0.0)
    if on_road:
        return random.uniform(street.left_kerb + 0.8, street.right_kerb - 0.8)
    if random.random() < 0.5:
        return random.uniform(street.left_wall + 0.3, street.left_kerb - 0.2)
    return random.uniform(street.right_kerb + 0.2, street.right_wall - 0.3)


def _photographed(colours: Floats, random: Random) -> Bytes:
    """Light, a tint, and the sensor's noise."""
    light = random.uniform(0.7, 1.2) * random.uniform(0.88, 1.12, 3)
    lit = colours * light.astype(np.float32) + random.uniform(-0.06, 0.1)
    grainy = lit + random.uniform(0.005, 0.04) * random.standard_normal(colours.shape, dtype=np.float32)
    return (255 * np.clip(grainy, 0, 1) + 0.5).astype(np.uint8)
