"""What is swept, as data: `sweep.json`, on which all processes of a sweep agree."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from archdsl.documents import Schema, VersionOne, text
from archdsl.runs.record import Word
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.grid import Axis, Member, members
from archdsl.search.sweep.reading import read_file
from archdsl.text import visible_json

RECORD: Final = "sweep.json"
FORMAT_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A sweep before anything runs."""

    command: str
    """The command of each member: `search`, `train`."""
    source: str
    """What the command is given: `gas.arch:gas_s`, as seen from `directory`."""
    directory: str
    """Where commands are run, as seen from the folder of the sweep: paths in options mean what they meant there."""
    axes: tuple[Axis, ...]
    seeds: int
    options: tuple[str, ...] = ()
    """Of the command."""
    training: tuple[str, ...] | None = None
    """The options by which found genotypes are trained; None where the supernet's score is the member's."""
    cost: str | None = None
    """The cost table by which latencies are predicted."""
    digest: str = ""
    """Of the text and all that it uses."""

    @property
    def members(self) -> tuple[Member, ...]:
        return members(self.axes, self.seeds)

    def as_json(self) -> str:
        values = asdict(self) | {"axes": {axis.name: list(axis.values) for axis in self.axes}}
        return (
            visible_json(json.dumps({"format_version": FORMAT_VERSION, **values}, indent=2, ensure_ascii=False)) + "\n"
        )

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """The plan of the sweep in a folder. Raises NotSwept, OSError."""
        found = read_file(_File, folder / RECORD)
        if found is None:
            raise NotSwept(f"`{folder}` holds no sweep: there is no `{RECORD}` in it")
        values = {name: getattr(found, name) for name in _File.model_fields if name not in ("format_version", "axes")}
        return cls(**values, axes=tuple(Axis(name, listed) for name, listed in found.axes.items()))

    def check_same(self, other: Plan, folder: Path) -> None:
        """Raises NotSwept where the sweep in a folder differs from this one."""
        mine, theirs = asdict(self), asdict(other)
        differing = [_WORDS.get(name, name) for name in mine if mine[name] != theirs[name]]
        if differing:
            listed = ", ".join(f"`{name}`" for name in differing)
            raise NotSwept(
                f"the sweep in `{folder}` is another one: {listed} differ; give what it was begun with, join it by "
                f"`archdsl sweep {folder}`, or give another `--out`"
            )


_WORDS: Final = {"axes": "over", "digest": "text", "training": "train", "directory": "working directory"}


_Name: TypeAlias = Annotated[str, text(r"^\w+$", "the name of a parameter")]


class _File(Schema):
    format_version: VersionOne
    command: Literal["search", "baseline", "train"]
    source: Word
    directory: Word
    axes: dict[_Name, Annotated[tuple[Word, ...], Field(min_length=1)]]
    seeds: int = Field(ge=1)
    options: tuple[str, ...]
    training: tuple[str, ...] | None
    cost: Word | None
    digest: str
