"""Checks every file of a dataset before training."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from archdsl.data.frames import Frame
from archdsl.data.labels import OUTSIDE, LabelCode, WrongKind
from archdsl.data.problems import Problem

Size: TypeAlias = "tuple[int, int]"

AGAIN: Final = "copy it again from where it came"
OTHER: Final = "take the label files of this layout"
_ENDS: Final = {"PNG": b"IEND", "JPEG": b"\xff\xd9"}
_TAIL_BYTES: Final = 4096
"""Some cameras write a little behind a JPEG's end."""


@dataclass(frozen=True, slots=True)
class _Seen:
    size: Size | None
    """Height and width; None where the file could not be read."""
    problems: tuple[Problem, ...]


def survey(splits: Mapping[str, Sequence[Frame]], *, scaled: bool, thorough: bool) -> tuple[Problem, ...]:
    """Every problem of the files.

    Labels are decoded. Of images the head and the end are read, which shows what is missing or cut off; `thorough`
    decodes them too. Unless they are `scaled` as they are read, all images need one size.
    """
    frames = [frame for each in splits.values() for frame in each]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = list(pool.map(_frame, frames, repeat(thorough)))
    found = [problem for each in seen for problem in each.problems]
    if not scaled:
        found += _odd_sizes(frames, [each.size for each in seen])
    return tuple(found)


def survey_images(paths: Sequence[Path], *, thorough: bool) -> tuple[Problem, ...]:
    """Every problem of images without label files, whatever their sizes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return tuple(problem for seen in pool.map(_image, paths, repeat(thorough)) for problem in seen.problems)


def _frame(frame: Frame, thorough: bool) -> _Seen:
    image = _image(frame.image, thorough)
    if frame.image.is_file() and not frame.label.is_file():
        what = f"has no label: there is no `{frame.label}`"
        return _Seen(image.size, (*image.problems, Problem(str(frame.image), what, "add it, or remove the image")))
    label = _label(frame.label, frame.code)
    problems = image.problems + label.problems
    if image.size and label.size and image.size != label.size:
        what = f"is {_by(label.size)}, and its image `{frame.image}` {_by(image.size)}"
        problems += (Problem(str(frame.label), what, "a label has its image's height and width"),)
    return _Seen(image.size, problems)


def _image(path: Path, thorough: bool) -> _Seen:
    def look(image: Image.Image) -> tuple[Problem, ...]:
        if thorough:
            image.load()
        return ()

    return _file(path, look)


def _label(path: Path, code: LabelCode) -> _Seen:
    def look(image: Image.Image) -> tuple[Problem, ...]:
        outside = int(np.count_nonzero(code.decode(image) == OUTSIDE))
        if not outside:
            return ()
        pixels = f"{outside:,} pixel{'s' if outside > 1 else ''}"
        return (Problem(str(path), f"has {code.outside(image)} in {pixels}, outside of the classes", OTHER),)

    return _file(path, look)


def _file(path: Path, look: Callable[[Image.Image], tuple[Problem, ...]]) -> _Seen:
    try:
        if path.stat().st_size == 0:
            return _Seen(None, (Problem(str(path), "is empty", AGAIN),))
        with Image.open(path) as image:
            size = (image.height, image.width)
            if not _ended(path, image.format or ""):
                return _Seen(size, (Problem(str(path), "is truncated", AGAIN),))
            return _Seen(size, look(image))
    except FileNotFoundError:
        return _Seen(None, (Problem(str(path), "is not there", AGAIN),))
    except PermissionError:
        return _Seen(None, (Problem(str(path), "cannot be read", f"chmod u+r {path}"),))
    except WrongKind as wrong:
        return _Seen(None, (Problem(str(path), str(wrong), OTHER),))
    except Image.DecompressionBombError:
        return _Seen(None, (Problem(str(path), "has a size beyond any camera's", AGAIN),))
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for bytes that are no picture, or break off
        return _Seen(None, (Problem(str(path), "is not an image, or damaged", AGAIN),))


def _ended(path: Path, form: str) -> bool:
    """Whether a file ends with its format's end marker; a check for truncation without decoding."""
    if form not in _ENDS:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return _ENDS[form] in file.read()


def _odd_sizes(frames: Sequence[Frame], sizes: Sequence[Size | None]) -> list[Problem]:
    counted = Counter(size for size in sizes if size)
    if len(counted) < 2:
        return []
    usual, many = counted.most_common(1)[0]
    return [
        Problem(
            str(frame.image), f"is {_by(size)}, and {many:,} others are {_by(usual)}", "give a size to scale all to"
        )
        for frame, size in zip(frames, sizes, strict=True)
        if size and size != usual
    ]


def _by(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
