"""Synthetic street scenes, without files; classes need both appearance and context to be recognised.

Colours belong to no class, and where the street vanishes, how wide it is and how the camera is held change from scene
to scene. `benchmarks/streets.py` measures what colour and position alone are worth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from archdsl.data.model import Classes, Data, Example, Split
from archdsl.data.streets.scene import scene

SIZE: Final = (128, 256)
TRAIN: Final = 512
"""The default number of training scenes."""

CLASSES: Final = Classes(
    ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "person", "cyclist"),
    (
        (70, 130, 180),
        (70, 70, 70),
        (153, 153, 153),
        (128, 64, 128),
        (244, 35, 232),
        (107, 142, 35),
        (220, 220, 0),
        (190, 153, 153),
        (0, 0, 142),
        (220, 20, 60),
        (119, 11, 32),
    ),
)

_DISTRICTS: Final = {"train": range(18), "val": range(18, 24), "test": range(24, 30)}
"""The groups of each split: no district is in two of them."""


def data(*, size: tuple[int, int] | None, seed: int, count: int | None) -> Data:
    """Scenes of this height and width: `count` to train with, a quarter as many for `val` and `test`."""
    train = count or TRAIN
    numbers = {"train": train, "val": max(1, train // 4), "test": max(1, train // 4)}
    splits = {name: _split(name, number, size or SIZE, seed) for name, number in numbers.items()}
    return Data("streets", "streets", "segmentation", CLASSES, splits, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def _split(name: str, count: int, size: tuple[int, int], seed: int) -> Split:
    """Scene `i` is a function of the seed, the split, `i` and the size alone, whatever the count."""
    districts = _DISTRICTS[name]

    def district(i: int) -> int:
        return districts[i % len(districts)]

    def read(i: int) -> Example:
        # Two streams: one for the scene, and one that all scenes of its district begin anew.
        own, shared = (seed, 1 + district(i), 1 + i), (seed, 1 + district(i), 0)
        return scene(size, np.random.default_rng(shared), np.random.default_rng(own))

    names = tuple(f"{name}_{i:05}" for i in range(count))
    return Split(name, names, tuple(f"district{district(i):02}" for i in range(count)), read)
