"""The record of a run, `run.json`: what it is of, so that it can be gone on with, evaluated and compiled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from archdsl.files import write_atomic
from archdsl.settings.printer import as_data
from archdsl.train.errors import Refused
from archdsl.train.setup import Setup

FORMAT_VERSION = 1
RECORD, BEST, LAST = "run.json", "best.safetensors", "last.safetensors"


class NoRun(Exception):
    """A folder that holds no run; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Record:
    values: dict[str, Any]

    @classmethod
    def of(cls, setup: Setup, world: int) -> Record:
        """What decides the course of a training; a run is gone on with only where all of it is the same."""
        return cls(
            {
                "format_version": FORMAT_VERSION,
                **setup.about,
                "recipe": as_data(setup.recipe),
                "data": {
                    "kind": setup.data.kind,
                    "train_on": setup.train_on,
                    "score_on": setup.score_on,
                    "classes": list(setup.data.classes.names),
                    "colours": [list(each) for each in setup.data.classes.colours],
                    "mean": list(setup.data.mean),
                    "std": list(setup.data.std),
                },
                "size": list(setup.size),
                "seed": setup.seed,
                "processes": world,
                "accumulate": setup.accumulate,
            }
        )

    def write(self, folder: Path) -> None:
        text = json.dumps(self.values, indent=2, ensure_ascii=False) + "\n"
        write_atomic(folder / RECORD, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Raises NoRun."""
        try:
            values: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NoRun(f"`{folder}` holds no run: there is no `{RECORD}` in it") from None
        except (OSError, ValueError) as error:
            raise NoRun(f"`{folder / RECORD}` cannot be read: {error}") from None
        if not isinstance(values, dict) or cast("dict[str, Any]", values).get("format_version") != FORMAT_VERSION:
            raise NoRun(f"`{folder / RECORD}` is of another version")
        return cls(cast("dict[str, Any]", values))

    def check_same(self, other: Record, folder: Path) -> None:
        """Raises Refused where a run in a folder was another one."""
        mine, theirs = json.loads(json.dumps(self.values)), other.values
        differing = sorted(name for name in {*mine, *theirs} - {"command"} if mine.get(name) != theirs.get(name))
        if differing:
            listed = ", ".join(f"`{name}`" for name in differing)
            raise Refused(
                f"the run in `{folder}` was another one: {listed} differ; "
                "give what it was begun with, or another `--out`"
            )
