"""`run.json`: all that determines a run, as a search, a training and a baseline write it.

A schema names the fields that its readers look at, and says what they may be; others are kept as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import ConfigDict, Field, model_validator

from archdsl.documents import MIB, Schema, Unfit, parse, text
from archdsl.files import read_whole
from archdsl.runs.errors import NoRun
from archdsl.runs.version_1 import of_version_1

RECORD: Final = "run.json"
FORMAT_VERSION: Final = 2
"""2 has the recipe in the terms of the language; 1 had class names, and is converted when read."""
LARGEST: Final = 16 * MIB

Word: TypeAlias = Annotated[str, text(r"^[^\x00]+$", "a text that says something")]
Answers: TypeAlias = dict[Word, tuple[Word, ...]]
"""By the spelling of paths."""
Overrides: TypeAlias = dict[Word, str]
Natural: TypeAlias = Annotated[int, Field(ge=0)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Size: TypeAlias = tuple[Side, Side]
"""Height and width, in pixels."""
Colour: TypeAlias = tuple[
    Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)]
]
_Positive: TypeAlias = Annotated[float, Field(gt=0)]


class _Open(Schema):
    model_config = ConfigDict(extra="allow")


class DataOfRun(_Open):
    """What a run was trained on."""

    kind: Word
    train_on: Word
    score_on: Word
    classes: tuple[Word, ...] = Field(min_length=1)
    colours: tuple[Colour, ...]
    mean: tuple[float, ...] = ()
    std: tuple[_Positive, ...] = ()

    @model_validator(mode="after")
    def _fit(self) -> DataOfRun:
        if len(self.colours) != len(self.classes):
            raise ValueError(f"has {len(self.classes)} `classes` and {len(self.colours)} `colours`")
        if len(self.mean) != len(self.std):
            raise ValueError(f"has {len(self.mean)} numbers in `mean` and {len(self.std)} in `std`")
        return self


class StageOfRun(_Open):
    """A phase of a search, with those that step beside it."""

    phase: Word
    beside: tuple[Word, ...] = ()
    steps: Natural


class _Settings(_Open):
    iterations: int | None = None


class _Recipe(_Open):
    name: Word | None = None
    settings: _Settings = _Settings()


class AnyRecord(_Open):
    """Of a run of any kind, as far as a page tells of it."""

    format_version: int
    kind: Word | None = None
    network: Word | None = None
    space: Word | None = None
    hash: Word | None = None
    text: Word | None = None
    item: Word | None = None
    overrides: Overrides = Field(default_factory=dict)
    seed: Natural | None = None
    cost: Word | None = None
    data: DataOfRun | None = None
    size: Size | None = None
    input: Size | None = None
    """Of a baseline, the images whose costs are predicted; None for those of the text."""
    stages: tuple[StageOfRun, ...] = ()
    recipe: _Recipe = _Recipe()
    evaluations: Natural | None = None


class TrainingRecord(_Open):
    """Of a training: its network, and what it was trained on."""

    format_version: int
    kind: None = None
    hash: Word
    text: Word | None
    item: Word | None
    overrides: Overrides
    answers: Answers
    data: DataOfRun


class SearchRecord(_Open):
    """Of a search that was run."""

    format_version: int
    kind: Literal["search"]
    hash: Word
    text: Word
    item: Word
    overrides: Overrides
    size: Size


class LogitsRecord(_Open):
    """Of a search as far as a genotype is derived from it, whatever wrote it (`archdsl.search.derive.runs`)."""

    format_version: int
    text: Word
    item: Word
    hash: Word | None = None
    overrides: Overrides = Field(default_factory=dict)
    seed: Natural = 0
    size: Size | None = None


class _Evaluation(_Open):
    """How candidates were scored: after so many steps of training, or with the weights of a supernet."""

    steps: Natural | None = None
    supernet: Word | None = None

    @model_validator(mode="after")
    def _says(self) -> _Evaluation:
        if self.steps is None and self.supernet is None:
            raise ValueError("says neither `steps` nor a `supernet`")
        return self


class BaselineRecord(_Open):
    """Of a baseline: what it was asked for, and how candidates were evaluated."""

    format_version: int
    kind: Literal["baseline"]
    hash: Word
    text: Word
    item: Word
    overrides: Overrides
    seed: Natural
    by: Word
    strategy: Word
    where: tuple[Word, ...]
    cost: Word | None
    input: Size | None
    data: DataOfRun
    evaluation: _Evaluation


R = TypeVar("R", bound=Schema)
_KINDS: Final[dict[type[Schema], str | None]] = {
    TrainingRecord: None,
    SearchRecord: "search",
    BaselineRecord: "baseline",
}
_SAID: Final = {None: "a training", "search": "a search", "baseline": "a baseline"}


def read_record(folder: Path, schema: type[R]) -> tuple[R, dict[str, Any]]:
    """The record of the run in a folder: what a schema names, and all of it as JSON has it.

    Raises NoRun where there is none, or it is of another kind, OSError.
    """
    values = read_values(folder)
    if schema in _KINDS and values.get("kind") != _KINDS[schema]:
        found = _SAID.get(values.get("kind"), f"`{values.get('kind')}`")
        raise NoRun(f"`{folder}` is the run of {found}, and one of {_SAID[_KINDS[schema]]} is asked for")
    return _fitted(folder, schema, json.dumps(values).encode()), values


def read_values(folder: Path) -> dict[str, Any]:
    """All that a record says, in the terms of this version. Raises NoRun, OSError."""
    file = folder / RECORD
    try:
        data = read_whole(file, LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NoRun(f"`{folder}` holds no run: there is no `{RECORD}` in it") from None
    if len(data) > LARGEST:
        raise _broken(folder, Unfit(f"it has more than {LARGEST // MIB} MiB"))
    version = _fitted(folder, _Versioned, data).format_version
    if version not in (1, FORMAT_VERSION):
        raise NoRun(f"`{file}` is of another version: it has {version}, and this archdsl reads {FORMAT_VERSION}")
    values: dict[str, Any] = json.loads(data)
    if version == 1:
        try:
            values = of_version_1(values)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise _broken(folder, Unfit("`recipe` is no recipe of version 1")) from None
    _fitted(folder, AnyRecord, json.dumps(values).encode())
    return values


class _Versioned(_Open):
    format_version: int


def _fitted(folder: Path, schema: type[R], data: bytes) -> R:
    try:
        return parse(schema, data)
    except Unfit as error:
        raise _broken(folder, error) from None


def _broken(folder: Path, error: Unfit) -> NoRun:
    return NoRun(f"`{folder / RECORD}` cannot be read: {error}; restore the file")
