"""`classes.json`: which value of label files is which class, and all that is wrong with such a list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from archdsl.data.labels import OUTSIDE, Numbers
from archdsl.data.model import IGNORE, Classes
from archdsl.data.problems import Problem
from archdsl.documents import MIB, Schema, Unfit, parse, read

FILE: Final = "classes.json"
_LONGEST_NAME: Final = 100
"""Letters."""
_FORM: Final = (
    'it holds `{"classes": [{"index": 0, "name": "Sky", "color": [128, 128, 128], "ignore": false}, …]}`, '
    "where labels that do not count are `ignore`"
)

_Byte = Annotated[int, Field(ge=0, le=255)]
_Count = Annotated[int, Field(ge=0)]


class _Value(Schema):
    """A class as far as labels are read by it; other fields are notes of whoever wrote the list."""

    model_config = ConfigDict(extra="allow")

    index: _Byte
    """The value of its pixels in label files."""
    ignore: bool = False


class _Class(_Value):
    name: str
    color: tuple[_Byte, _Byte, _Byte]


class _Splits(Schema):
    """The number of frames in each split, by which an incomplete copy is detected."""

    train: _Count | None = None
    val: _Count | None = None
    test: _Count | None = None


class _File(Schema):
    model_config = ConfigDict(extra="allow")

    classes: Annotated[list[Any], Field(max_length=256)]
    splits: Any = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassList:
    classes: Classes
    """Those that count, in the order of their values."""
    code: Numbers
    frames: Mapping[str, int | None] = field(default_factory=dict[str, "int | None"])
    """Of splits, where the list says so."""
    problems: tuple[Problem, ...] = ()


def read_list(place: Path) -> ClassList:
    """The list in a file. Where its values are not certain, any value is a class. Raises OSError."""
    try:
        file = read(_File, place, MIB)
    except Unfit as unfit:
        return _uncertain([Problem(str(place), f"cannot be read: {unfit}", _FORM)])
    found: list[_Class] = []
    said: list[tuple[str, str]] = []
    for number, entry in enumerate(file.classes, 1):
        written = json.dumps(entry).encode()
        try:
            found.append(parse(_Class, written))
        except Unfit as unfit:
            said.append((f"has a mistake in `classes[{number}]`: {unfit}", _FORM))
            try:
                value = parse(_Value, written)
            except Unfit:
                continue
            found.append(_Class(index=value.index, ignore=value.ignore, name=f"class {number}", color=(0, 0, 0)))
    try:
        frames = parse(_Splits, json.dumps(file.splits).encode()).model_dump()
    except Unfit as unfit:
        frames = {}
        said.append(
            (f"has a mistake in `splits`: {unfit}", "write `train`, `val`, `test` and how many images each has")
        )
    said += _names(found)
    wrong_values = list(_values(found))
    problems = [Problem(str(place), what, help_) for what, help_ in (*said, *wrong_values)]
    if wrong_values or len(found) < len(file.classes):
        return _uncertain(problems, frames)
    counted = _counted(found)
    classes = Classes(tuple(each.name for each in counted), tuple(each.color for each in counted))
    return ClassList(classes, _code(found), frames, tuple(problems))


def _uncertain(problems: Sequence[Problem], frames: Mapping[str, int | None] | None = None) -> ClassList:
    every = Numbers((*range(OUTSIDE), IGNORE, IGNORE))
    return ClassList(Classes((), ()), every, frames or {}, tuple(problems))


def _counted(classes: Sequence[_Class]) -> list[_Class]:
    return sorted((each for each in classes if not each.ignore), key=lambda each: each.index)


def _code(classes: Sequence[_Class]) -> Numbers:
    ignored = {each.index: IGNORE for each in classes if each.ignore}
    numbered = {each.index: number for number, each in enumerate(_counted(classes))}
    return Numbers.of({IGNORE: IGNORE} | ignored | numbered)


def _values(classes: Sequence[_Class]) -> Iterator[tuple[str, str]]:
    """What is wrong with the values, and what to do."""
    by_index: dict[int, str] = {}
    for each in classes:
        if each.index in by_index:
            what = f"gives the index {each.index} twice, to `{by_index[each.index]}` and to `{_short(each.name)}`"
            yield what, "give each class an index of its own, the value that it has in the labels"
        by_index.setdefault(each.index, _short(each.name))
    counted = len(_counted(classes))
    if not counted:
        yield "has no class that counts", _FORM
    elif counted > OUTSIDE:
        yield f"has {counted} classes that count, and {OUTSIDE} are the most", "ignore some, or join them"


def _names(classes: Sequence[_Class]) -> Iterator[tuple[str, str]]:
    """What is wrong with names and words, and what to do."""
    by_name: dict[str, int] = {}
    for each in classes:
        if not each.ignore and by_name.setdefault(each.name, each.index) != each.index:
            what = f"gives the name `{_short(each.name)}` twice, to {by_name[each.name]} and to {each.index}"
            yield what, "give each class a name of its own"
        if len(each.name) > _LONGEST_NAME:
            what = f"has a name of {len(each.name):,} letters at index {each.index}, and {_LONGEST_NAME} are the most"
            yield what, "shorten it"
        elif not each.name.strip() or not each.name.isprintable():
            yield f"has no readable name at index {each.index}", "write one of letters, digits and spaces"
        if near := get_close_matches("ignore", [key.lower() for key in each.model_extra or {}], 1, 0.75):
            yield f"has `{near[0]}` at index {each.index}, which is no word of it", "write `ignore`"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
