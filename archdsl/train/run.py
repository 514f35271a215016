"""A training run: its setup, and `run.json`, the record by which it is resumed, evaluated and compiled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from archdsl.data import Data
from archdsl.ir import ClosedGraph
from archdsl.runs.record import FORMAT_VERSION, RECORD, read_values
from archdsl.settings import Training
from archdsl.settings.printer import as_data
from archdsl.settings.schedules import Moment
from archdsl.settings.trainings import Duration, Epochs, Iterations
from archdsl.staging import write_atomic
from archdsl.text import visible_json
from archdsl.train.batches import Feed
from archdsl.train.classifier import Features
from archdsl.train.errors import Refused


@dataclass(frozen=True, slots=True)
class Setup:
    """A training as data, before anything runs."""

    graph: ClosedGraph
    """The closed graph with its auxiliary outputs, at `size`."""
    recipe: Training
    data: Data
    out: Path
    size: tuple[int, int]
    """Height and width of the crops in training, in pixels."""
    padding_multiple: int = 1
    seed: int = 0
    initial: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Initial weights by name; all others are random."""
    features: Features | None = None
    """The feature map to classify by, where a network that is no classifier is pretrained on whole images."""
    teacher: nn.Module | None = None
    """The teacher of knowledge distillation: images to logits."""
    output: str = ""
    """The output of classes; empty for the only one. Others that are not auxiliary are not trained."""
    train_on: str = "train"
    score_on: str = "val"
    score_every: int = 1
    """Epochs between two evaluations."""
    save_every_s: float = 600.0
    """Seconds between checkpoints within an epoch; there is always one after an epoch."""
    save_every_steps: int | None = None
    """Steps between checkpoints; takes the place of `save_every_s`."""
    accumulate: int = 1
    """Gradient accumulation: the number of micro-batches in a batch."""
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further entries of the run's record: the text, its hash, the answers."""

    @property
    def feed(self) -> Feed:
        recipe = self.recipe
        return Feed(
            self.data, self.train_on, recipe.weights.batch, recipe.augment, self.size, self.seed, self.accumulate
        )


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a training, or of a phase of a search, in steps and epochs."""

    steps: int
    steps_per_epoch: int

    @property
    def epochs(self) -> int:
        return -(-self.steps // self.steps_per_epoch)

    def moment(self, step: int) -> Moment:
        """After so many steps."""
        return Moment(step / self.steps, step // self.steps_per_epoch, step)


def length_of(recipe: Training, examples: int) -> Length:
    """The length of a recipe on `examples` images. Raises Refused where they do not fill one batch."""
    return length(recipe.duration, recipe.weights.batch, examples)


def length(duration: Duration, batch: int, examples: int) -> Length:
    """Raises Refused where the images do not fill one batch."""
    passes = examples // batch
    if not passes:
        raise Refused(
            f"{examples} images do not fill one batch of {batch}: "
            f"write a smaller `batch` in the recipe, or give `--batch {examples}`"
        )
    match duration:
        case Epochs(epochs, iterations):
            per_epoch = iterations or passes
            return Length(epochs * per_epoch, per_epoch)
        case Iterations(iterations):
            return Length(iterations, min(passes, iterations))


BEST, LAST = "best.safetensors", "last.safetensors"


def weights_metadata(data: Data, step: int) -> dict[str, str]:
    """What stands beside weights in their file: class names and normalisation."""
    return {
        "class_names": json.dumps(list(data.classes.names), ensure_ascii=False),
        "mean": json.dumps(list(data.mean)),
        "std": json.dumps(list(data.std)),
        "step": str(step),
    }


@dataclass(frozen=True, slots=True)
class Record:
    values: dict[str, Any]

    @classmethod
    def of(cls, setup: Setup, world: int) -> Record:
        """All that determines a training; a run is resumed where all of it is equal but its length."""
        return cls(
            {
                "format_version": FORMAT_VERSION,
                **setup.about,
                "recipe": as_data(setup.recipe),
                "data": data_values(setup.data, setup.train_on, setup.score_on),
                "size": list(setup.size),
                "seed": setup.seed,
                "processes": world,
                "accumulate": setup.accumulate,
            }
        )

    def write(self, folder: Path) -> None:
        text = visible_json(json.dumps(self.values, indent=2, ensure_ascii=False)) + "\n"
        write_atomic(folder / RECORD, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record of the run in a folder. Raises NoRun, OSError."""
        return cls(read_values(folder))


def data_values(data: Data, train_on: str, score_on: str) -> dict[str, Any]:
    """The data of a run, as its record has them."""
    return {
        "kind": data.kind,
        "train_on": train_on,
        "images": len(data.splits[train_on]),
        "score_on": score_on,
        "classes": list(data.classes.names),
        "colours": [list(each) for each in data.classes.colours],
        "mean": list(data.mean),
        "std": list(data.std),
    }
