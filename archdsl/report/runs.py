"""What the folder of a run has, also while it is being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias, cast

from archdsl.runs.journal import read_events
from archdsl.runs.record import AnyRecord, StageOfRun, read_record

Event: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True)
class Run:
    """A search or a training, as far as it has come."""

    folder: Path
    record: AnyRecord
    values: Mapping[str, Any]
    """All that `run.json` says."""
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
        return self.record.kind or "train"

    @property
    def stages(self) -> Sequence[StageOfRun]:
        """Those that the record names, in order; empty for a training."""
        return self.record.stages

    @property
    def steps(self) -> int | None:
        """How many the whole run takes; None where the record does not say."""
        if self.stages:
            return sum(stage.steps for stage in self.stages)
        return self.record.recipe.settings.iterations if self.record.evaluations is None else self.record.evaluations

    @property
    def size(self) -> tuple[int, int] | None:
        """The height and width of the images that networks run on, by which the journal counts; None if not said."""
        return self.record.size

    @property
    def step(self) -> int:
        """The last step of the journal."""
        return max((step_of(event) for event in self.events), default=0)

    def of(self, event: str) -> Sequence[Event]:
        return [each for each in self.events if each.get("event") == event]


def read_run(folder: Path) -> Run:
    """Raises NoRun, OSError."""
    record, values = read_record(folder, AnyRecord)
    return Run(folder, record, values, read_events(folder), _logits(folder), _genotypes(folder))


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
