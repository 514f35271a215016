"""Any segmentation data with a `classes.json`: `SPLIT/images/NAME.jpg` and `SPLIT/labels/NAME.png`."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archdsl.data.frames import Frame
from archdsl.data.labels import OUTSIDE, Numbers
from archdsl.data.layout import Layout, paired
from archdsl.data.model import IGNORE, Classes
from archdsl.data.problems import Problem, plural

NAME: Final = "classes.json"
_SPLITS: Final = ("train", "val", "test")
_MOST_BYTES: Final = 1 << 20
_LONGEST_NAME: Final = 100

_Part = Annotated[int, Field(ge=0, le=255)]
_Count = Annotated[int, Field(ge=0)]


class _Class(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    index: int = Field(ge=0, le=255)
    """The value of its pixels in label files."""
    name: str
    color: tuple[_Part, _Part, _Part]
    ignore: bool = False


class _File(BaseModel):
    model_config = ConfigDict(strict=True)

    classes: list[_Class]
    splits: dict[str, _Count] = {}
    """The number of frames in each split, by which an incomplete copy is detected."""


def find(root: Path, group: Callable[[str], str]) -> Layout:
    """The dataset below a folder that holds a `classes.json`.

    Classes are numbered from 0 in the order of their indices, those that are ignored left out. Pixels of 255 are
    ignored where no class has that index. Where the list has mistakes, files are looked into all the same.
    """
    place = root / NAME
    file, problems = _read(place)
    code = Numbers((*range(OUTSIDE), IGNORE, IGNORE)) if problems else _code(file.classes)
    splits: dict[str, list[Frame]] = {}
    for split in _SPLITS:
        frames, alone = paired(root / split / "images", root / split / "labels", code, group=group)
        problems += alone
        told = file.splits.get(split, len(frames))
        if told != len(frames):
            what = f"holds {plural(len(frames), 'image')}, and `{place}` says {told:,}"
            problems.append(Problem(str(root / split / "images"), what, "copy what is missing, or correct the number"))
        if frames:
            splits[split] = frames
    known = _counted(file.classes)
    classes = Classes(tuple(each.name for each in known), tuple(each.color for each in known))
    return Layout(classes, splits, tuple(problems), place)


def _counted(classes: Sequence[_Class]) -> list[_Class]:
    return sorted((each for each in classes if not each.ignore), key=lambda each: each.index)


def _code(classes: Sequence[_Class]) -> Numbers:
    ignored = {each.index: IGNORE for each in classes if each.ignore}
    numbered = {each.index: number for number, each in enumerate(_counted(classes))}
    return Numbers.of({IGNORE: IGNORE} | ignored | numbered)


# The list ---------------------------------------------------------------------------------------

_FORM: Final = (
    'it holds `{"classes": [{"index": 0, "name": "Sky", "color": [128, 128, 128], "ignore": false}, …]}`, '
    "where labels that do not count are `ignore`"
)


def _read(place: Path) -> tuple[_File, list[Problem]]:
    """The list, and all that is wrong with it; where anything is, no class of it is known."""
    text = place.read_bytes()[: _MOST_BYTES + 1]
    if len(text) > _MOST_BYTES:
        return _File(classes=[]), [Problem(str(place), f"is longer than {_MOST_BYTES:,} bytes", _FORM)]
    try:
        file = _File.model_validate_json(text.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        return _File(classes=[]), [Problem(str(place), _said(dict(each)), _FORM) for each in error.errors()]
    problems = [Problem(str(place), what, help_) for what, help_ in _mistakes(file)]
    return (_File(classes=[], splits=file.splits) if problems else file), problems


def _said(error: dict[str, Any]) -> str:
    """A mistake of the form, in words."""
    where = ".".join(map(str, error["loc"]))
    message: str = error["msg"]
    if error["type"] == "json_invalid":
        return f"is not JSON in UTF-8: {message.removeprefix('Invalid JSON: ')}"
    if error["type"] == "missing":
        return f"has no `{where}`"
    at = f" at `{where}`" if where else ""
    return f"has an unexpected value{at}: {message[0].lower()}{message[1:]}"


def _mistakes(file: _File) -> list[tuple[str, str]]:
    """What is wrong with a list of the right form, and what to do."""
    found: list[tuple[str, str]] = []
    by_index: dict[int, str] = {}
    by_name: dict[str, int] = {}
    for each in file.classes:
        name = each.name if len(each.name) <= _LONGEST_NAME else f"{each.name[:_LONGEST_NAME]}…"
        if each.index in by_index:
            what = f"gives the index {each.index} twice, to `{by_index[each.index]}` and to `{name}`"
            found.append((what, "give each class an index of its own, the value that it has in the labels"))
        elif not each.ignore and each.name in by_name:
            what = f"gives the name `{name}` twice, to {by_name[each.name]} and to {each.index}"
            found.append((what, "give each class a name of its own"))
        by_index.setdefault(each.index, name)
        if not each.ignore:
            by_name.setdefault(each.name, each.index)
        if near := get_close_matches("ignore", [key.lower() for key in each.model_extra or {}], 1, 0.75):
            found.append((f"has `{near[0]}` at index {each.index}, which is no word of it", "write `ignore`"))
        if len(each.name) > _LONGEST_NAME:
            what = f"has a name of {len(each.name):,} letters at index {each.index}, and {_LONGEST_NAME} are the most"
            found.append((what, "shorten it"))
        elif not each.name.strip() or not each.name.isprintable():
            found.append((f"has no readable name at index {each.index}", "write one of letters, digits and spaces"))
    counted = len(_counted(file.classes))
    if not counted:
        found.append(("has no class that counts", _FORM))
    elif counted > OUTSIDE:
        found.append((f"has {counted} classes that count, and {OUTSIDE} are the most", "ignore some, or join them"))
    found += [
        (f"counts the images of `{split}`, and splits are {', '.join(f'`{each}`' for each in _SPLITS)}", "rename it")
        for split in file.splits
        if split not in _SPLITS
    ]
    return found
