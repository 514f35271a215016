"""Checks every file of a dataset before training."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Final

import numpy as np

from archdsl.data.frames import Frame, other_size
from archdsl.data.images import Size, Unreadable, opened
from archdsl.data.inputs import MODES
from archdsl.data.labels import OUTSIDE, distinct
from archdsl.data.model import COLOURS, RGB, ImageInput
from archdsl.data.problems import Problem, plural, shortened

OTHER: Final = "take the label files of this layout"
LIST: Final = 'list them in `classes.json`, with `"ignore": true` where they do not count'


@dataclass(frozen=True, slots=True)
class Survey:
    problems: tuple[Problem, ...]
    seen: Mapping[str, Seen]
    """What the labels of each split say."""


@dataclass(slots=True)
class Seen:
    classes: set[int] = field(default_factory=set[int])
    values: dict[int, str] = field(default_factory=dict[int, str])
    """Values with their spelling."""

    def add(self, label: _Label) -> None:
        self.classes.update(label.classes)
        self.values.update(label.values)


@dataclass(frozen=True, slots=True)
class _Image:
    path: Path
    size: Size | None = None
    """None where the file could not be read."""
    orientation: int = 1
    problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        turned = f", upright by its EXIF orientation {self.orientation}" if self.orientation > 1 else ""
        assert self.size is not None
        return f"{self.size[0]}x{self.size[1]}{turned}"


@dataclass(frozen=True, slots=True)
class _Label(_Image):
    classes: frozenset[int] = frozenset()
    values: Mapping[int, str] = field(default_factory=dict[int, str])


def survey(
    splits: Mapping[str, Sequence[Frame]],
    *,
    listed: bool,
    scaled: bool,
    thorough: bool,
    inputs: Sequence[ImageInput] = RGB,
) -> Survey:
    """Looks into every file.

    Labels are decoded. Of images the head and the end are read, which shows what is missing or cut off; `thorough`
    decodes them too, as `inputs` are read. Unless they are `scaled` as they are read, all images need one size.
    `listed` says that users list the classes themselves.
    """
    seen = {name: Seen() for name in splits}
    images: list[_Image] = []
    found: list[Problem] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, frames in splits.items():
            for image, label in pool.map(_frame, frames, repeat(inputs), repeat(listed), repeat(thorough)):
                images.append(image)
                found += image.problems + label.problems
                seen[name].add(label)
    if not scaled:
        found += _odd_sizes(images)
    return Survey(tuple(found), seen)


def survey_images(paths: Sequence[Path], *, thorough: bool, channels: int = COLOURS) -> tuple[Problem, ...]:
    """Every problem of images without label files, whatever their sizes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return tuple(
            problem for seen in pool.map(_image, paths, repeat(thorough), repeat(channels)) for problem in seen.problems
        )


def _frame(frame: Frame, inputs: Sequence[ImageInput], listed: bool, thorough: bool) -> tuple[_Image, _Label]:
    image = _image(frame.image, thorough, inputs[0].channels)
    for path, each in zip(frame.others, inputs[1:], strict=True):
        other = _image(path, thorough, each.channels)
        problems = other.problems
        if image.size and other.size and other.size != image.size:
            problems += (other_size(path, other.size, frame.image, image.size).problem,)
        image = replace(image, problems=(*image.problems, *problems))
    label = _label(frame, listed)
    if image.size and label.size and image.size != label.size:
        what = f"is {label}, and its image `{frame.image}` {image}"
        help_ = "a label has its image's height and width"
        if label.orientation != image.orientation:
            help_ += " as both are seen upright: turn the label, or take the tag out of the file"
        label = replace(label, problems=(*label.problems, Problem(str(frame.label), what, help_)))
    return image, label


def _image(path: Path, thorough: bool, channels: int) -> _Image:
    try:
        with opened(path, pixels=thorough) as picture:
            picture.check_channels(channels)
            if thorough:
                picture.as_mode(MODES[channels])
            return _Image(path, picture.size, picture.orientation)
    except Unreadable as error:
        return _Image(path, problems=(error.problem,))


def _label(frame: Frame, listed: bool) -> _Label:
    path, code = frame.label, frame.code
    if not path.exists():
        what = f"has no label: there is no `{path}`"
        lacking = (Problem(str(frame.image), what, "add it, or remove the image"),) if frame.image.exists() else ()
        return _Label(path, problems=lacking)
    try:
        with opened(path) as picture:
            values = code.values(picture)
    except Unreadable as error:
        return _Label(path, problems=(error.problem,))
    found = distinct(values, code)
    classes = code.decode(found)
    spelled = {int(value): code.spelled(int(value)) for value in found}
    strange = [spelled[int(value)] for value in found[classes == OUTSIDE]]
    problems: tuple[Problem, ...] = ()
    if strange:
        pixels = plural(int(np.count_nonzero(code.decode(values) == OUTSIDE)), "pixel")
        many = "s" if len(strange) > 1 else ""
        what = f"has the {code.called}{many} {shortened(strange)} in {pixels}, outside of the classes"
        problems = (Problem(str(path), what, LIST if listed else OTHER),)
    known = frozenset(int(each) for each in classes if each < OUTSIDE)
    return _Label(path, picture.size, picture.orientation, problems, known, spelled)


def _odd_sizes(images: Sequence[_Image]) -> list[Problem]:
    counted = Counter(image.size for image in images if image.size)
    if len(counted) < 2:
        return []
    (height, width), many = counted.most_common(1)[0]
    others = f"{plural(many, 'other')} {'is' if many == 1 else 'are'} {height}x{width}"
    return [
        Problem(str(image.path), f"is {image}, and {others}", "give a size to scale all to")
        for image in images
        if image.size and image.size != (height, width)
    ]
