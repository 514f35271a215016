"""Class frequencies in the labels of a split."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from archdsl.data.model import IGNORE, Split


@dataclass(frozen=True, slots=True)
class Shares:
    of: tuple[float, ...]
    """The share of each class in all pixels, 0 to 1."""
    ignored: float
    sizes: tuple[tuple[int, int], ...]
    """Heights and widths that occur."""


def shares(split: Split, classes: int) -> Shares:
    """Reads every example of a split once."""

    def one(i: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[int, int]]:
        example = split.read(i)
        height, width, _ = example.image.shape
        counts = np.bincount(example.label.ravel(), minlength=IGNORE + 1)
        return np.append(counts[:classes], counts[IGNORE]), (height, width)

    total = np.zeros(classes + 1, dtype=np.int64)
    sizes: set[tuple[int, int]] = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for counts, size in pool.map(one, range(len(split))):
            total += counts
            sizes.add(size)
    *of, ignored = (total / total.sum()).tolist()
    return Shares(tuple(of), ignored, tuple(sorted(sizes)))
