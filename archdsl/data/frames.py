"""Frames on disk: an image and its label, decoded and scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from archdsl.data.labels import LabelCode, WrongKind, read_label
from archdsl.data.model import Bytes, Example, Split
from archdsl.data.problems import BadData, Problem


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    group: str
    image: Path
    label: Path
    code: LabelCode


def split_of(name: str, frames: Sequence[Frame], size: tuple[int, int] | None) -> Split:
    """Frames as a split, scaled to `size` (height, width) as they are read."""

    def read(i: int) -> Example:
        frame = frames[i]
        try:
            return Example(read_image(frame.image, size), read_label(frame.label, frame.code, size))
        except (OSError, SyntaxError, WrongKind) as error:
            raise BadData(
                name, [Problem(str(frame.image), f"can no longer be read ({error})", "check the data again")]
            ) from error

    return Split(name, tuple(each.name for each in frames), tuple(each.group for each in frames), read)


def read_image(path: Path, size: tuple[int, int] | None) -> Bytes:
    """An RGB image HxWx3 resized to this height and width by area averaging."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    if size is not None and rgb.size != size[::-1]:
        # Pillow widens the kernel where it shrinks; the gap is what it may do in cheap whole steps before.
        rgb = rgb.resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=2)
    return np.array(rgb)
