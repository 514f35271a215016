"""Frames on disk: an image and its label, decoded and scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from archdsl.data.images import Size, Unreadable, opened
from archdsl.data.inputs import MODES, resized, stacked
from archdsl.data.labels import LabelCode, read_label
from archdsl.data.model import RGB, Bytes, Example, ImageInput, Split
from archdsl.data.problems import BadData


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    group: str
    image: Path
    label: Path
    code: LabelCode
    others: tuple[Path, ...] = ()
    """The files of a network's other inputs, in the order of the text."""


def split_of(name: str, frames: Sequence[Frame], size: Size | None, inputs: Sequence[ImageInput] = RGB) -> Split:
    """Frames as a split, scaled to `size` as they are read."""

    def read(i: int) -> Example:
        frame = frames[i]
        try:
            return Example(
                read_inputs((frame.image, *frame.others), size, inputs), read_label(frame.label, frame.code, size)
            )
        except Unreadable as error:
            raise BadData(name, [error.problem]) from error

    return Split(name, tuple(each.name for each in frames), tuple(each.group for each in frames), read)


def read_image(path: Path, size: Size | None) -> Bytes:
    """An RGB image HxWx3 resized to this height and width by area averaging. Raises Unreadable."""
    return read_inputs((path,), size, RGB)


def read_inputs(paths: Sequence[Path], size: Size | None, inputs: Sequence[ImageInput]) -> Bytes:
    """Image files, one for each input, as channels HxWxC of one image of this height and width, else of the first's.

    Raises Unreadable, also where sizes differ and none is given.
    """
    images: list[Image.Image] = []
    for path, each in zip(paths, inputs, strict=True):
        with opened(path) as picture:
            picture.check_channels(each.channels)
            image = picture.as_mode(MODES[each.channels])
        if size is not None and image.size != size[::-1]:
            # Pillow widens the kernel where it shrinks; the gap is what it may do in cheap whole steps before.
            image = resized(image, (size[1], size[0]), reducing_gap=2)
        if images and image.size != images[0].size:
            first = images[0]
            raise other_size(path, (image.height, image.width), paths[0], (first.height, first.width))
        images.append(image)
    return stacked(images)


def other_size(path: Path, size: Size, first: Path, size_of_first: Size) -> Unreadable:
    """For a file of another input that does not lie on its image."""
    what = f"is {size[0]}x{size[1]}, and `{first}` {size_of_first[0]}x{size_of_first[1]}"
    return Unreadable(path, what, "give it the height and width of the image that it belongs to")
