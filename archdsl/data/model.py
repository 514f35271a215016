"""What a dataset is, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

IGNORE: Final = 255
"""The label of pixels that no loss and no score looks at, in every dataset after reading."""

Colour: TypeAlias = "tuple[int, int, int]"
Statistic: TypeAlias = "tuple[float, float, float]"
Task: TypeAlias = Literal["segmentation", "classification"]
Bytes: TypeAlias = "NDArray[np.uint8]"

IMAGENET_MEAN: Final[Statistic] = (0.485, 0.456, 0.406)
IMAGENET_STD: Final[Statistic] = (0.229, 0.224, 0.225)
"""Of RGB between 0 and 1, over the training images of ILSVRC 2012, as pretrained networks expect them."""


@dataclass(frozen=True, slots=True)
class Classes:
    names: tuple[str, ...]
    colours: tuple[Colour, ...]
    """As many as names; RGB."""

    @property
    def count(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Example:
    image: Bytes
    """HxWx3, RGB."""
    label: Bytes | NDArray[np.int64]
    """Segmentation: uint8, HxW, a class or IGNORE. Classification: int64 without a dimension."""


@dataclass(frozen=True, slots=True)
class Split:
    """Examples by their numbers; read when they are asked for, by several threads at a time if they like."""

    name: str
    names: tuple[str, ...]
    """Of the frames, without folder and suffix."""
    groups: tuple[str, ...]
    """Of each frame its city, drive or sequence; '' where there is none."""
    reader: Callable[[int], Example]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, i: int) -> Example:
        """Raises BadData where a file has changed for the worse since the data were opened."""
        return self.reader(i)

    def part(self, indices: tuple[int, ...]) -> Split:
        """The same split with these examples alone, in this order."""
        reader = self.reader
        return Split(
            self.name,
            tuple(self.names[i] for i in indices),
            tuple(self.groups[i] for i in indices),
            lambda i: reader(indices[i]),
        )


@dataclass(frozen=True, slots=True)
class Data:
    kind: str
    """`camvid`, `cityscapes`, `bdd`, `folder` or `streets`."""
    written: str
    """As it was asked for: `camvid:PATH`."""
    task: Task
    classes: Classes
    splits: Mapping[str, Split]
    """`train`, `val` and `test`, as far as they exist with labels."""
    mean: Statistic = IMAGENET_MEAN
    std: Statistic = IMAGENET_STD
    """Of RGB between 0 and 1."""
