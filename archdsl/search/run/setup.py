"""A search as data, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from archdsl.cost.tables import Table
from archdsl.data import Data
from archdsl.pipeline import Loaded
from archdsl.settings import Search, Training
from archdsl.settings.searches import Phase, Split
from archdsl.space import Program
from archdsl.space.trace import Answers
from archdsl.train.batches import Feed
from archdsl.train.prepare import cropped
from archdsl.train.run import FORMAT_VERSION, Length, Record, data_values

TRAIN, SCORE = "train", "val"
"""The splits of other data that a pretraining takes."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase, and those that step in turn with it on the same weights."""

    main: Phase
    beside: tuple[Phase, ...]
    program: Program
    """What is laid out: the space of the search, or the one that the phase names."""
    length: Length
    """Steps of the main phase; in each, every phase beside it steps too."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        return (self.main, *self.beside)


@dataclass(frozen=True, slots=True)
class Pretraining:
    """A phase that trains what was found so far on other data, from random weights (CAS, section 4.2)."""

    phases: ClassVar[tuple[Phase, ...]] = ()
    """None steps the supernet meanwhile."""
    beside: ClassVar[tuple[Phase, ...]] = ()
    main: Phase
    program: Program
    """What is laid out: that of the phase before it, or the one that the phase names. What was found answers it."""
    trained: Program
    """The same at the size of its crops, and of pixels with as many classes as its data have."""
    length: Length
    data: Data
    recipe: Training
    """What the phase says of weights, length and images."""
    size: tuple[int, int]
    """Height and width of the crops, in pixels."""
    example: Answers
    """Such as may be found, for what is checked and estimated before."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which images step what, by their numbers in the split; None for all."""

    weights: tuple[int, ...] | None = None
    answers: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class SearchSetup:
    loaded: Loaded
    """The space, or a genotype of it that leaves questions open, at the size of the crops."""
    search: Search
    stages: tuple[Stage | Pretraining, ...]
    parts: Mapping[Split, Parts]
    """Of each way in which a phase parts the images."""
    tables: Mapping[Path, Table]
    """The tables of objectives, by the paths that texts have for them."""
    data: Data
    out: Path
    size: tuple[int, int]
    """Height and width of the crops, in pixels."""
    seed: int = 0
    train_on: str = "train"
    score_on: str = "val"
    score_every: int = 1
    """Epochs between two evaluations."""
    eigenvalue_every: int | None = None
    """Epochs between two measurements of the dominant eigenvalue; a phase's `stop` asks for its own."""
    accumulate: int = 1
    """Gradient accumulation: the number of micro-batches in a batch."""
    memory_bytes: int | None = None
    """What a step may hold: cells compute maps again where it would be more."""
    keep_maps: bool = False
    """No map is computed again, for accelerators."""
    table: Table | None = None
    """By which derived networks are priced."""
    table_name: str = ""
    save_every_s: float = 600.0
    """Seconds between checkpoints within an epoch."""
    save_every_steps: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further entries of the run's record: the text, the item, the overrides."""

    def feed(self, phase: Phase, *, answers: bool) -> Feed:
        """The images of a phase's steps of weights, or of answers."""
        parts = Parts() if phase.split is None else self.parts[phase.split]
        return Feed(
            self.data,
            self.train_on,
            phase.weights.batch,
            cropped(phase.augment),
            self.size,
            self.seed,
            self.accumulate,
            parts.answers if answers else parts.weights,
        )

    def record(self, processes: int) -> Record:
        """All that determines a search; a run is resumed where all of it is equal but its length."""
        stages = [
            {
                "phase": each.main.name,
                "beside": [phase.name for phase in each.beside],
                "steps": each.length.steps,
                "steps_per_epoch": each.length.steps_per_epoch,
                **_of_pretraining(each),
            }
            for each in self.stages
        ]
        return Record(
            {
                "format_version": FORMAT_VERSION,
                "kind": "search",
                **self.about,
                "stages": stages,
                "data": data_values(self.data, self.train_on, self.score_on),
                "size": list(self.size),
                "seed": self.seed,
                "processes": processes,
                "accumulate": self.accumulate,
                "score_every": self.score_every,
                "eigenvalue_every": self.eigenvalue_every,
            }
        )


def _of_pretraining(stage: Stage | Pretraining) -> Mapping[str, Any]:
    """What a record has of it beside what it has of every stage."""
    if isinstance(stage, Stage):
        return {}
    return {"data": data_values(stage.data, TRAIN, SCORE), "size": list(stage.size)}
