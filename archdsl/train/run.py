"""A training run: its setup, and `run.json`, the record by which it is resumed, evaluated and compiled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from archdsl.data import Data
from archdsl.files import write_atomic
from archdsl.ir import ClosedGraph
from archdsl.settings import Training
from archdsl.settings.printer import as_data
from archdsl.settings.schedules import Moment
from archdsl.settings.trainings import Duration, Epochs, Iterations
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
    """The feature map to classify by, where the data are for image classification."""
    teacher: nn.Module | None = None
    """The teacher of knowledge distillation: images to logits."""
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


FORMAT_VERSION = 2
"""2 has the recipe in the terms of the language; 1 had class names, and is converted when read."""
RECORD, BEST, LAST = "run.json", "best.safetensors", "last.safetensors"


def weights_metadata(data: Data, step: int) -> dict[str, str]:
    """What stands beside weights in their file: class names and normalisation."""
    return {
        "class_names": json.dumps(list(data.classes.names), ensure_ascii=False),
        "mean": json.dumps(list(data.mean)),
        "std": json.dumps(list(data.std)),
        "step": str(step),
    }


class NoRun(Exception):
    """A folder without a readable run; the message says what is missing."""


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
        text = json.dumps(self.values, indent=2, ensure_ascii=False) + "\n"
        write_atomic(folder / RECORD, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record of the run in a folder. Raises NoRun."""
        try:
            values: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NoRun(f"`{folder}` holds no run: there is no `{RECORD}` in it") from None
        except (OSError, ValueError) as error:
            raise NoRun(f"`{folder / RECORD}` cannot be read: {error}") from None
        version = cast("dict[str, Any]", values).get("format_version") if isinstance(values, dict) else None
        match version:
            case 1:
                return cls(_of_version_1(cast("dict[str, Any]", values)))
            case _ if version == FORMAT_VERSION:
                return cls(cast("dict[str, Any]", values))
            case _:
                raise NoRun(f"`{folder / RECORD}` is of another version")


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


# Version 1 --------------------------------------------------------------------------------------

_FORMS = {"bootstrapped": "bootstrapped_cross_entropy", "distillation": "kl"}
_WORDS = {"start": "from", "end": "to", "low": "from", "high": "to"}


def _of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    recipe: dict[str, Any] = dict(values["recipe"])
    head = {name: recipe.pop(name) for name in ("name", "space")}
    parameters, initial, duration = (recipe.pop(name) for name in ("parameters", "initial", "duration"))
    settings = {
        "from": _in_words(initial),
        **_length_in_words(duration),
        **{name: _in_words(value) for name, value in recipe.items() if name != "type"},
    }
    named = {"item": "train", **head, "parameters": dict(parameters), "settings": settings}
    return {**values, "format_version": FORMAT_VERSION, "recipe": named}


def _length_in_words(duration: dict[str, Any]) -> dict[str, Any]:
    if duration["type"] == "epochs":
        return {"epochs": duration["epochs"], "iterations_per_epoch": duration["iterations"]}
    return {"iterations": duration["iterations"]}


def _in_words(value: Any) -> Any:
    """A value of version 1 in the terms of the language."""
    match value:
        case {"type": "constant", "value": number}:
            return number
        case {"type": "initial", "data": data, "part": part}:
            return {"form": data, "part": part}
        case {"type": "auxiliary", "weight": weight, "named": named}:
            return {"form": "weights", **dict(named)} if named else weight
        case {"type": "weight_step", "optimizer": optimizer, "batch": batch, "clip": clip}:
            return {**_in_words(optimizer), "batch": batch, "clip": clip}
        case {"type": "adam", "decoupled": decoupled, **settings}:
            return {"form": "adamw" if decoupled else "adam", **_all_in_words(settings)}
        case {"type": str(kind), **settings}:
            return {"form": _FORMS.get(kind, kind), **_all_in_words(settings)}
        case list():
            return [_in_words(each) for each in cast("list[Any]", value)]
        case _:
            return value


def _all_in_words(settings: dict[str, Any]) -> dict[str, Any]:
    return {_WORDS.get(name, name): _in_words(each) for name, each in settings.items()}
