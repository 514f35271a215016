"""What a network reads of a dataset: images by name, each with so many channels.

An example has all of them as channels of one image, one behind the other, so that whatever moves pixels moves all.
The first input is the picture; each other one has files of its own, in a folder of its name beside `images`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from PIL import Image

from archdsl.data.model import COLOURS, LUMA, Bytes, Data, Example, ImageInput, Split, Statistic
from archdsl.data.problems import NoData, Problem

MODES: Final[Mapping[int, str]] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""How an image file is read, by the channels of its input."""
_MIDDLE: Final = 0.5
_SPREAD: Final = 0.25
"""Of channels of which nothing is known: numbers between 0 and 1 come to lie between -2 and 2."""


def check_inputs(written: str, inputs: Sequence[ImageInput]) -> None:
    """Raises NoData for an input that no image file has."""
    for each in inputs:
        if each.channels not in MODES:
            what = f"cannot be read for {each}: image files have 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA)"
            raise NoData(written, [Problem("", f"`{written}` {what}", "write as many channels in the text")])


def statistics(inputs: Sequence[ImageInput], mean: Statistic, std: Statistic) -> tuple[Statistic, Statistic]:
    """Mean and deviation of all channels, of those of RGB: grey has their luma, alpha and other inputs 0.5 and 0.25."""
    means: list[float] = []
    stds: list[float] = []
    for position, each in enumerate(inputs):
        if position:
            known: tuple[Statistic, Statistic] = (), ()
        elif each.channels >= COLOURS:
            known = mean, std
        else:
            known = (_luma(mean),), (_luma(std),)
        more = each.channels - len(known[0])
        means += [*known[0], *[_MIDDLE] * more]
        stds += [*known[1], *[_SPREAD] * more]
    return tuple(means), tuple(stds)


def _luma(colours: Statistic) -> float:
    return sum(weight * each for weight, each in zip(LUMA, colours, strict=True))


def stacked(images: Sequence[Image.Image]) -> Bytes:
    """Images of one size as channels HxWxC, one behind the other."""
    return np.concatenate([_channels(np.array(each)) for each in images], axis=2)


def _channels(pixels: Bytes) -> Bytes:
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def resized(
    image: Image.Image,
    size: tuple[int, int],
    *,
    box: tuple[float, float, float, float] | None = None,
    reducing_gap: float | None = None,
) -> Image.Image:
    """Width and height `size`, bilinearly, widened where it shrinks; each channel by itself.

    The library takes a last channel for transparency, and weighs the others by it.
    """
    if image.mode not in ("LA", "RGBA"):
        return image.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=reducing_gap)
    bands = [band.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=reducing_gap) for band in image.split()]
    return Image.merge(image.mode, bands)


def as_read(data: Data, inputs: Sequence[ImageInput]) -> Data:
    """Data whose examples are RGB, as a network with one grey input or one of RGB reads them. Raises NoData."""
    if tuple(each.channels for each in inputs) == (COLOURS,):
        return data
    if len(inputs) > 1 or inputs[0].channels != 1:
        listed = " and ".join(map(str, inputs))
        what = f"has images of RGB alone, and the network reads {listed}"
        raise NoData(
            data.written, [Problem("", f"`{data.written}` {what}", "take data with such files (docs/data.md)")]
        )
    mean, std = statistics(inputs, data.mean, data.std)
    splits = {name: _grey(split) for name, split in data.splits.items()}
    return replace(data, splits=splits, mean=mean, std=std, inputs=tuple(inputs))


def _grey(split: Split) -> Split:
    def read(i: int) -> Example:
        example = split.read(i)
        return Example(stacked([Image.fromarray(example.image).convert("L")]), example.label)

    return replace(split, reader=read)
