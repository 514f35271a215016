"""What is swept, as data: `sweep.json`, on which all processes of a sweep agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.grid import Axis, Member, members

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
        return json.dumps({"format_version": FORMAT_VERSION, **values}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """The plan of the sweep in a folder. Raises NotSwept."""
        path = folder / RECORD
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotSwept(f"`{folder}` holds no sweep: there is no `{RECORD}` in it") from None
        except (OSError, ValueError) as error:
            raise NotSwept(f"`{path}` cannot be read: {error}") from None
        if not isinstance(found, dict) or cast("dict[str, Any]", found).get("format_version") != FORMAT_VERSION:
            raise NotSwept(f"`{path}` is of another version: this archdsl reads version {FORMAT_VERSION}")
        return _of_data(cast("dict[str, Any]", found))

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


def _of_data(values: Mapping[str, Any]) -> Plan:
    training = values["training"]
    return Plan(
        command=values["command"],
        source=values["source"],
        directory=values["directory"],
        axes=tuple(Axis(name, tuple(listed)) for name, listed in values["axes"].items()),
        seeds=values["seeds"],
        options=tuple(values["options"]),
        training=None if training is None else tuple(training),
        cost=values["cost"],
        digest=values["digest"],
    )
