"""How often each class occurs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from archdsl.data.model import IGNORE, Data, Split


@dataclass(frozen=True, slots=True)
class Shares:
    of: tuple[float, ...]
    """Of all pixels, or of all images, those of each class."""
    ignored: float
    sizes: tuple[tuple[int, int], ...]
    """Heights and widths that occur."""


def shares(split: Split, data: Data) -> Shares:
    """Reads every example of a split once."""
    classes = data.classes.count

    def one(i: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[int, int]]:
        example = split.read(i)
        height, width, _ = example.image.shape
        label = example.label.ravel()
        counts = np.bincount(label, minlength=IGNORE + 1)
        if data.task == "segmentation":
            counts = np.append(counts[:classes], counts[IGNORE])
        else:
            counts = np.append(counts[:classes], 0)
        return counts, (height, width)

    total = np.zeros(classes + 1, dtype=np.int64)
    sizes: set[tuple[int, int]] = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for counts, size in pool.map(one, range(len(split))):
            total += counts
            sizes.add(size)
    *of, ignored = (total / total.sum()).tolist()
    return Shares(tuple(of), ignored, tuple(sorted(sizes)))
