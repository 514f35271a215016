"""The interface of datasets: examples, splits, classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

IGNORE: Final = 255
"""The label of pixels that losses and scores ignore, the same in every dataset after reading."""

Colour: TypeAlias = "tuple[int, int, int]"
Statistic: TypeAlias = "tuple[float, ...]"
"""A number for each channel, in the order of the channels."""
Task: TypeAlias = Literal["segmentation", "classification"]
Bytes: TypeAlias = "NDArray[np.uint8]"

LUMA: Final = (0.299, 0.587, 0.114)
"""What RGB contribute to grey (ITU-R BT.601), as image libraries convert."""

IMAGENET_MEAN: Final[Statistic] = (0.485, 0.456, 0.406)
IMAGENET_STD: Final[Statistic] = (0.229, 0.224, 0.225)
"""Mean and standard deviation of RGB in [0, 1] over the training images of ILSVRC 2012, for pretrained networks."""


@dataclass(frozen=True, slots=True)
class Classes:
    names: tuple[str, ...]
    colours: tuple[Colour, ...]
    """An RGB colour for each name, 0 to 255."""

    @property
    def count(self) -> int:
        return len(self.names)


COLOURS: Final = 3
"""Channels of RGB."""


@dataclass(frozen=True, slots=True)
class ImageInput:
    """An input: its name, and its channels: 1 is grey, 2 grey with alpha, 3 RGB, 4 RGBA."""

    name: str
    channels: int

    def __str__(self) -> str:
        return f"`{self.name}` of {self.channels} channel{'s' if self.channels > 1 else ''}"


RGB: Final = (ImageInput("image", COLOURS),)


@dataclass(frozen=True, slots=True)
class Example:
    image: Bytes
    """uint8 HxWxC: RGB, or the channels of all inputs of a network (`archdsl/data/inputs.py`)."""
    label: Bytes | NDArray[np.int64]
    """Segmentation: uint8, HxW, a class or IGNORE. Classification: int64 without a dimension."""


@dataclass(frozen=True, slots=True)
class Split:
    """Examples by index, read on access; thread-safe."""

    name: str
    names: tuple[str, ...]
    """Frame names, without folder and suffix."""
    groups: tuple[str, ...]
    """City, drive or sequence of each frame; '' where there is none."""
    reader: Callable[[int], Example]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, i: int) -> Example:
        """Reads an example. Raises BadData where a file has become unreadable since the dataset was opened."""
        return self.reader(i)

    def part(self, indices: tuple[int, ...]) -> Split:
        """The split restricted to these examples, in this order."""
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
    """As the user wrote it: `camvid:PATH`."""
    task: Task
    classes: Classes
    splits: Mapping[str, Split]
    """`train`, `val` and `test`, as far as they exist with labels."""
    mean: Statistic = IMAGENET_MEAN
    std: Statistic = IMAGENET_STD
    """Mean and standard deviation of each channel in [0, 1]."""
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    """Of each split what to know before a training on it, a sentence each."""
    inputs: tuple[ImageInput, ...] = RGB
    """What its examples have the channels of."""

    @property
    def merit(self) -> str:
        """What networks are compared by on them, in words."""
        return "top-1" if self.task == "classification" else "mIoU"

    @property
    def colours(self) -> int:
        """The leading channels of an example that are colours: 3 of RGB, 1 of grey."""
        return COLOURS if self.inputs[0].channels >= COLOURS else 1
