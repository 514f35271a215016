"""Any segmentation data with a `classes.json`: `SPLIT/images/NAME.jpg` and `SPLIT/labels/NAME.png`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from archdsl.data.frames import Frame
from archdsl.data.labels import OUTSIDE, Numbers
from archdsl.data.layout import Layout, paired, pictures
from archdsl.data.model import IGNORE, Classes
from archdsl.data.problems import Problem

_SPLITS: Final = ("train", "val", "test")
_NONE: Final = Classes((), ())


class _Class(BaseModel):
    index: int = Field(ge=0, lt=OUTSIDE)
    name: str
    color: tuple[int, int, int]
    ignore: bool = False


class _File(BaseModel):
    classes: list[_Class]
    splits: dict[str, int] = {}
    """The number of frames in each split, by which an incomplete copy is detected."""


def find(root: Path, group: Callable[[str], str]) -> Layout:
    """The dataset below a folder that holds a `classes.json`; pixels of 255 are ignored too."""
    place = root / "classes.json"
    try:
        file = _File.model_validate_json(place.read_bytes())
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        what = f"has an unexpected value at `{where}`" if where else "is not JSON"
        return Layout(_NONE, {}, (Problem(str(place), what, _FORM),))
    known = sorted((each for each in file.classes if not each.ignore), key=lambda each: each.index)
    if [each.index for each in known] != list(range(len(known))) or not known:
        return Layout(_NONE, {}, (Problem(str(place), "does not number its classes 0, 1, 2, …", _FORM),))
    code = Numbers.of({each.index: IGNORE if each.ignore else each.index for each in file.classes} | {IGNORE: IGNORE})
    splits: dict[str, list[Frame]] = {}
    problems: list[Problem] = []
    for split in _SPLITS:
        frames, alone = paired(pictures(root / split / "images"), root / split / "labels", code, group=group)
        problems += alone
        told = file.splits.get(split, len(frames))
        if told != len(frames):
            what = f"holds {len(frames):,} images, and `{place}` says {told:,}"
            problems.append(Problem(str(root / split / "images"), what, "copy what is missing, or correct the number"))
        if frames:
            splits[split] = frames
    classes = Classes(tuple(each.name for each in known), tuple(each.color for each in known))
    return Layout(classes, splits, tuple(problems))


_FORM: Final = (
    'it holds `{"classes": [{"index": 0, "name": "Sky", "color": [128, 128, 128], "ignore": false}, …]}`, '
    "where labels that do not count are `ignore`"
)
