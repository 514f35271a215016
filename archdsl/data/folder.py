"""Images sorted into folders by their classes, as ImageNet is: `train/CLASS/*.jpg`, and so `val` and `test`."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from archdsl.data.images import Unreadable, opened
from archdsl.data.inputs import MODES, resized, stacked
from archdsl.data.layout import pictures, unknown_layout, unread
from archdsl.data.model import COLOURS, Bytes, Classes, Example, ImageInput, Split
from archdsl.data.problems import BadData, Problem

SIZE: Final = (224, 224)
"""Of images where no other size is asked for; they come in all sizes."""
_GOLDEN: Final = 0.618034
"""Hues so far apart from each other, however many there are."""


@dataclass(frozen=True, slots=True)
class Sorted:
    classes: Classes
    splits: dict[str, list[tuple[Path, int]]]
    """Images with their classes."""
    problems: tuple[Problem, ...]


def find(written: str, root: Path) -> Sorted:
    """The images below a folder. Classes are those of `train`, by their names. Raises NoData."""
    if not (root / "train").is_dir():
        raise unknown_layout(
            written, root, "`train`, and `val` and `test` if there are any, each with a folder for each class"
        )
    names = _classes(root / "train")
    if not names:
        raise unknown_layout(written, root / "train", "a folder for each class")
    problems: list[Problem] = []
    if len(names) == 1:
        what = f"has the folder of one class alone, `{names[0]}`: whatever is shown, the answer is right"
        problems.append(Problem(str(root / "train"), what, "add those of the others"))
    splits: dict[str, list[tuple[Path, int]]] = {}
    for split in ("train", "val", "test"):
        if (root / split).is_dir():
            splits[split] = _images(root / split, names, problems)
    colours = [colorsys.hsv_to_rgb(_GOLDEN * i % 1, 0.6, 0.9) for i in range(len(names))]
    bytes_ = tuple((round(255 * r), round(255 * g), round(255 * b)) for r, g, b in colours)
    return Sorted(Classes(names, bytes_), splits, tuple(problems))


def _classes(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")))


def _images(folder: Path, names: tuple[str, ...], problems: list[Problem]) -> list[tuple[Path, int]]:
    loose = pictures(folder)
    if loose:
        what = f"holds {len(loose):,} image{'s' if len(loose) > 1 else ''} beside its folders"
        problems.append(Problem(str(folder), what, "put each into the folder of its class"))
    found: list[tuple[Path, int]] = []
    for name in _classes(folder):
        places = list(_below(folder / name))
        images = [image for place in places for image in pictures(place)]
        problems += [problem for place in places for problem in unread(place)]
        if name not in names:
            problems.append(
                Problem(str(folder / name), "is a class that `train` does not have", "remove it, or name it as there")
            )
        elif not images:
            problems.append(Problem(str(folder / name), "holds no images", "add some, or remove it"))
        else:
            found += [(image, names.index(name)) for image in images]
    return found


def _below(folder: Path) -> Iterator[Path]:
    """A folder and those in it, at any depth; links and hidden ones are left out."""
    yield folder
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink() and not each.name.startswith("."):
            yield from _below(each)


def split_of(
    name: str, images: list[tuple[Path, int]], classes: Classes, size: tuple[int, int], channels: int = COLOURS
) -> Split:
    """Images as a split: scaled until they cover `size` (height, width), and what sticks out cut off on both sides."""

    def read(i: int) -> Example:
        path, label = images[i]
        try:
            return Example(_covering(path, size, channels), np.array(label, dtype=np.int64))
        except Unreadable as error:
            raise BadData(name, [error.problem]) from error

    names = tuple(f"{classes.names[label]}/{path.stem}" for path, label in images)
    return Split(name, names, ("",) * len(names), read)


def _covering(path: Path, size: tuple[int, int], channels: int) -> Bytes:
    with opened(path) as picture:
        picture.check_channels(channels)
        return covering(picture.as_mode(MODES[channels], at_least=size), size)


def covered(stacked_HWC: Bytes, inputs: Sequence[ImageInput], size: tuple[int, int]) -> Bytes:
    """The channels of all inputs, each image scaled until it covers `size` (height, width), and its middle."""
    found: list[Bytes] = []
    start = 0
    for each in inputs:
        pixels = stacked_HWC[:, :, start : start + each.channels]
        start += each.channels
        image = Image.fromarray(np.ascontiguousarray(pixels if each.channels > 1 else pixels[:, :, 0]))
        found.append(covering(image, size))
    return np.concatenate(found, axis=2)


def covering(image: Image.Image, size: tuple[int, int]) -> Bytes:
    """HxWxC: an image scaled until it covers `size` (height, width), and its middle."""
    height, width = size
    scale = max(height / image.height, width / image.width)
    across, down = width / scale, height / scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return stacked([resized(image, (width, height), box=box)])
