"""Frames on disk: an image and its label, decoded and scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from archdsl.data.images import Size, Unreadable, opened
from archdsl.data.labels import LabelCode, read_label
from archdsl.data.model import Bytes, Example, Split
from archdsl.data.problems import BadData


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    group: str
    image: Path
    label: Path
    code: LabelCode


def split_of(name: str, frames: Sequence[Frame], size: Size | None) -> Split:
    """Frames as a split, scaled to `size` as they are read."""

    def read(i: int) -> Example:
        frame = frames[i]
        try:
            return Example(read_image(frame.image, size), read_label(frame.label, frame.code, size))
        except Unreadable as error:
            raise BadData(name, [error.problem]) from error

    return Split(name, tuple(each.name for each in frames), tuple(each.group for each in frames), read)


def read_image(path: Path, size: Size | None) -> Bytes:
    """An RGB image HxWx3 resized to this height and width by area averaging. Raises Unreadable."""
    with opened(path) as picture:
        rgb = picture.rgb()
    if size is not None and rgb.size != size[::-1]:
        # Pillow widens the kernel where it shrinks; the gap is what it may do in cheap whole steps before.
        rgb = rgb.resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=2)
    return np.array(rgb)
