"""What the folder of a run has, also while it is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

Event: TypeAlias = "Mapping[str, Any]"

RECORD: Final = "run.json"
JOURNAL: Final = "journal.jsonl"


class NoReport(Exception):
    """A folder that holds nothing to report on; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase of a search, with those that step beside it."""

    phase: str
    beside: tuple[str, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class Run:
    """A search or a training, as far as it has come."""

    folder: Path
    record: Mapping[str, Any]
    """`run.json`."""
    events: Sequence[Event]
    """The journal, in its order."""
    logits: Mapping[str, Mapping[int, Path]]
    """By phase and step, both in order."""
    genotypes: Mapping[str, Path]
    """By phase; the run's own, where it is there, under the empty name."""

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def kind(self) -> str:
        """`search`, `train`, or what else the record says."""
        found = self.record.get("kind")
        return found if isinstance(found, str) else "train"

    @property
    def stages(self) -> Sequence[Stage]:
        """Those that the record names, in order; empty for a training."""
        listed = self.record.get("stages")
        return tuple(_stages(cast("list[object]", listed))) if isinstance(listed, list) else ()

    @property
    def steps(self) -> int | None:
        """How many the whole run takes; None where the record does not say."""
        if self.stages:
            return sum(stage.steps for stage in self.stages)
        if (evaluations := number(self.record.get("evaluations"))) is not None:
            return int(evaluations)
        settings = mapping(mapping(self.record.get("recipe")).get("settings"))
        found = number(settings.get("iterations"))
        return None if found is None else int(found)

    @property
    def size(self) -> tuple[int, int] | None:
        """The height and width of the images that networks run on, by which the journal counts; None if not said."""
        match self.record.get("size"):
            case [int(height), int(width)]:
                return height, width
            case _:
                return None

    @property
    def step(self) -> int:
        """The last step of the journal."""
        return max((step_of(event) for event in self.events), default=0)

    def of(self, event: str) -> Sequence[Event]:
        return [each for each in self.events if each.get("event") == event]


def read_run(folder: Path) -> Run:
    """Raises NoReport, OSError."""
    return Run(folder, _record(folder), tuple(_events(folder)), _logits(folder), _genotypes(folder))


def number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def step_of(event: Event) -> int:
    found = number(event.get("step"))
    return 0 if found is None else int(found)


def phase_of(event: Event) -> str:
    """Empty for a training."""
    found = event.get("phase")
    return found if isinstance(found, str) else ""


def read_object(file: Path) -> Mapping[str, Any]:
    """A JSON object. Raises NoReport, OSError."""
    try:
        found: object = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoReport(f"`{file}` cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise NoReport(f"`{file}` is no JSON object")
    return cast("Mapping[str, Any]", found)


def _record(folder: Path) -> Mapping[str, Any]:
    file = folder / RECORD
    if not file.is_file():
        raise NoReport(f"`{folder}` holds no run: there is no `{RECORD}` in it")
    return read_object(file)


def _events(folder: Path) -> Iterator[Event]:
    """Lines that are incomplete, as the last one may be, are left out."""
    file = folder / JOURNAL
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found: object = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield cast("Event", found)


def _stages(listed: Sequence[object]) -> Iterator[Stage]:
    for each in map(mapping, listed):
        phase, beside, steps = each.get("phase"), each.get("beside"), number(each.get("steps"))
        if isinstance(phase, str) and steps is not None:
            others = cast("list[object]", beside) if isinstance(beside, list) else []
            yield Stage(phase, tuple(other for other in others if isinstance(other, str)), int(steps))


def _logits(folder: Path) -> Mapping[str, Mapping[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for file in (folder / "logits").glob("*/*.json"):
        if file.stem.isdecimal():
            found.setdefault(file.parent.name, {})[int(file.stem)] = file
    ordered = {phase: dict(sorted(steps.items())) for phase, steps in found.items()}
    return dict(sorted(ordered.items(), key=lambda each: next(iter(each[1]))))


def _genotypes(folder: Path) -> Mapping[str, Path]:
    found = {file.stem: file for file in sorted((folder / "genotypes").glob("*.arch"))}
    last = folder / "genotype.arch"
    return {**found, "": last} if last.is_file() else found
