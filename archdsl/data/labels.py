"""How classes stand in label files: as numbers or as colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from PIL import Image

from archdsl.data.model import IGNORE, Bytes, Colour

OUTSIDE: Final = 254
"""What a value that is no class becomes while labels are checked. There are never so many classes."""


class LabelCode(Protocol):
    def decode(self, image: Image.Image) -> Bytes:
        """HxW: classes, IGNORE, and OUTSIDE where the file says something else. Raises WrongKind."""
        ...

    def outside(self, image: Image.Image) -> str:
        """What the file says where it is OUTSIDE, in words."""
        ...


class WrongKind(Exception):
    """A label file that holds another kind of picture; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """One channel of 8 bits whose values are numbers; a palette only makes them pleasant to look at."""

    classes: tuple[int, ...]
    """Of each value its class, IGNORE or OUTSIDE; 256 of them."""

    @classmethod
    def of(cls, classes: Mapping[int, int]) -> Numbers:
        return cls(tuple(classes.get(value, OUTSIDE) for value in range(256)))

    def decode(self, image: Image.Image) -> Bytes:
        table = np.array(self.classes, dtype=np.uint8)
        return table[self._values(image)]

    def outside(self, image: Image.Image) -> str:
        values = self._values(image)
        found = sorted({int(value) for value in np.unique(values)} - {v for v in range(256) if self.knows(v)})
        return _listed("the value", found)

    def knows(self, value: int) -> bool:
        return self.classes[value] != OUTSIDE

    @staticmethod
    def _values(image: Image.Image) -> Bytes:
        if image.mode not in ("L", "P", "1"):
            raise WrongKind(f"has mode {image.mode}, and labels are one channel of 8 bits")
        return np.asarray(image.convert("L") if image.mode == "1" else image)


@dataclass(frozen=True, slots=True)
class Colours:
    """RGB pictures in which each class has colours of its own."""

    classes: tuple[tuple[Colour, int], ...]

    def decode(self, image: Image.Image) -> Bytes:
        return _table(self.classes)[self._packed(image)]

    def outside(self, image: Image.Image) -> str:
        packed = np.unique(self._packed(image))
        found = packed[_table(self.classes)[packed] == OUTSIDE]
        return _listed("the colour", [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in found])

    @staticmethod
    def _packed(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
        if image.mode not in ("RGB", "RGBA", "P"):
            raise WrongKind(f"has mode {image.mode}, and labels are colours here")
        rgb = np.asarray(image.convert("RGB")).astype(np.int32)
        return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]


@cache
def _table(classes: tuple[tuple[Colour, int], ...]) -> Bytes:
    table = np.full(1 << 24, OUTSIDE, dtype=np.uint8)  # 16 MB: one look-up a pixel, whatever the number of colours
    for (r, g, b), label in classes:
        table[r << 16 | g << 8 | b] = label
    return table


def _listed(what: str, values: Iterable[object], shown: int = 3) -> str:
    each = [str(value) for value in values]
    more = f" and {len(each) - shown} more" if len(each) > shown else ""
    return f"{what}{'s' if len(each) > 1 else ''} {', '.join(each[:shown])}{more}"


def read_label(path: Path, code: LabelCode, size: tuple[int, int] | None) -> Bytes:
    """A label in classes, brought to this height and width by its nearest pixels."""
    with Image.open(path) as image:
        near = image if size is None else image.resize((size[1], size[0]), Image.Resampling.NEAREST)
        label = code.decode(near)
    return np.where(label == OUTSIDE, np.uint8(IGNORE), label)
