"""A split in memory.

Legend of shape suffixes: N examples, 3 colours, H height, W width.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from archdsl.data.model import Example, Split
from archdsl.data.problems import BadData, Problem


@dataclass(frozen=True, slots=True)
class Held:
    """As bytes: a quarter of what float32 would take."""

    split: Split
    images_N3HW: Tensor
    """uint8."""
    labels_NHW: Tensor
    """uint8; of classification int64 of shape N."""

    def __len__(self) -> int:
        return len(self.split)

    @property
    def bytes(self) -> int:
        return self.images_N3HW.nbytes + self.labels_NHW.nbytes


def hold(split: Split, progress: Callable[[int, int], None] | None = None) -> Held:
    """Every example of a split, read by a thread for each core; `progress` is told how many of how many are there.

    Raises BadData where a file is no longer readable, or examples differ in size.
    """
    if not len(split):
        raise BadData(split.name, [Problem("", "holds no examples", "take a split that does")])
    first_3HW, label = as_tensors(split.read(0))
    images_N3HW = torch.empty((len(split), *first_3HW.shape), dtype=torch.uint8)
    labels_NHW = torch.empty((len(split), *label.shape), dtype=label.dtype)

    def put(i: int) -> None:
        image_3HW, label_HW = as_tensors(split.read(i))
        if image_3HW.shape != first_3HW.shape or label_HW.shape != label.shape:
            raise BadData(
                split.name, [Problem("", f"`{split.names[i]}` differs in size from the first", "give a size")]
            )
        images_N3HW[i], labels_NHW[i] = image_3HW, label_HW

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, _ in enumerate(pool.map(put, range(len(split))), 1):
                if progress is not None:
                    progress(done, len(split))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Held(split, images_N3HW, labels_NHW)


def as_tensors(example: Example) -> tuple[Tensor, Tensor]:
    """Image 3xHxW, label HxW, or without a dimension."""
    image_3HW = np.ascontiguousarray(example.image.transpose(2, 0, 1))
    return torch.as_tensor(image_3HW), torch.as_tensor(np.asarray(example.label))
