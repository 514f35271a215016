"""Any segmentation data with a `classes.json`: `SPLIT/images/NAME.jpg` and `SPLIT/labels/NAME.png`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from archdsl.data.class_list import FILE, read_list
from archdsl.data.frames import Frame
from archdsl.data.layout import Layout, paired
from archdsl.data.problems import Problem, plural

_SPLITS: Final = ("train", "val", "test")


def find(root: Path, group: Callable[[str], str]) -> Layout:
    """The dataset below a folder that holds a `classes.json`.

    Classes are numbered from 0 in the order of their indices, those that are ignored left out. Pixels of 255 are
    ignored where no class has that index. Where the list has mistakes, files are looked into all the same.
    """
    place = root / FILE
    known = read_list(place)
    problems = list(known.problems)
    splits: dict[str, list[Frame]] = {}
    for split in _SPLITS:
        images = root / split / "images"
        frames, alone = paired(images, root / split / "labels", known.code, group=group)
        problems += alone
        told = known.frames.get(split)
        if told is not None and told != len(frames):
            what = f"holds {plural(len(frames), 'image')}, and `{place}` says {told:,}"
            problems.append(Problem(str(images), what, "copy what is missing, or correct the number"))
        if frames:
            splits[split] = frames
    return Layout(known.classes, splits, tuple(problems), place)
