"""How classes stand in label files: as numbers or as colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from archdsl.data.images import Picture, Size, opened
from archdsl.data.model import IGNORE, Bytes, Colour

OUTSIDE: Final = 254
"""What a value that is no class becomes while labels are checked. There are never so many classes."""

Packed: TypeAlias = "NDArray[np.int32]"


class LabelCode(Protocol):
    def values(self, picture: Picture) -> Bytes | Packed:
        """HxW: what the file says of each pixel. Raises Unreadable."""
        ...

    def decode(self, values: Bytes | Packed) -> Bytes:
        """Of values their classes, IGNORE, and OUTSIDE for what the data do not know."""
        ...

    def spelled(self, value: int) -> str:
        """A value as people read it."""
        ...

    @property
    def called(self) -> str:
        """What values are: `value` or `colour`."""
        ...

    @property
    def range(self) -> int:
        """Values are from 0 to below this."""
        ...


@dataclass(frozen=True, slots=True)
class Numbers:
    """One channel of at most 8 bits whose values are numbers; a palette only makes them pleasant to look at."""

    classes: tuple[int, ...]
    """Of each value its class, IGNORE or OUTSIDE; 256 of them."""
    called: str = "value"
    range: int = 256

    @classmethod
    def of(cls, classes: Mapping[int, int]) -> Numbers:
        return cls(tuple(classes.get(value, OUTSIDE) for value in range(256)))

    def values(self, picture: Picture) -> Bytes:
        return picture.numbers()

    def decode(self, values: Bytes | Packed) -> Bytes:
        return np.array(self.classes, dtype=np.uint8)[values]

    def spelled(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Colours:
    """RGB pictures in which each class has colours of its own."""

    classes: tuple[tuple[Colour, int], ...]
    called: str = "colour"
    range: int = 1 << 24

    def values(self, picture: Picture) -> Packed:
        picture.check_exact()
        rgb = np.asarray(picture.rgb()).astype(np.int32)
        return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]

    def decode(self, values: Bytes | Packed) -> Bytes:
        return _table(self.classes)[values]

    def spelled(self, value: int) -> str:
        return str((value >> 16, value >> 8 & 255, value & 255))


@cache
def _table(classes: tuple[tuple[Colour, int], ...]) -> Bytes:
    table = np.full(1 << 24, OUTSIDE, dtype=np.uint8)  # 16 MB: one look-up a pixel, whatever the number of colours
    for (r, g, b), label in classes:
        table[r << 16 | g << 8 | b] = label
    return table


def distinct(values: Bytes | Packed, code: LabelCode) -> Packed:
    """The values that occur, in order."""
    occurs = np.zeros(code.range, dtype=np.bool_)
    occurs[values] = True
    return np.flatnonzero(occurs).astype(np.int32)


def read_label(path: Path, code: LabelCode, size: Size | None) -> Bytes:
    """A label in classes, brought to this height and width by its nearest pixels. Raises Unreadable."""
    with opened(path) as picture:
        label = code.decode(code.values(picture))
    if size is not None and label.shape != size:
        label = np.array(Image.fromarray(label).resize((size[1], size[0]), Image.Resampling.NEAREST))
    return np.where(label == OUTSIDE, np.uint8(IGNORE), label)
