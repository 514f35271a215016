"""What a training is made of, as plain data, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from archdsl.data import Data
from archdsl.ir import ClosedGraph
from archdsl.settings import Training
from archdsl.settings.trainings import Epochs, Iterations
from archdsl.train.classifier import Features
from archdsl.train.errors import Refused


@dataclass(frozen=True, slots=True)
class Setup:
    """One training."""

    graph: ClosedGraph
    """Closed, with its auxiliary outputs, at the size of the images."""
    recipe: Training
    data: Data
    out: Path
    size: tuple[int, int]
    """Height and width of what the network sees in training."""
    padding_multiple: int = 1
    seed: int = 0
    initial: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Tensors that it begins with; the others are random."""
    features: Features | None = None
    """The map to classify whole images by, where the data have no segmentations."""
    teacher: nn.Module | None = None
    """Gives the logits that the recipe's `distill` is about."""
    train_on: str = "train"
    score_on: str = "val"
    score_every: int = 1
    """Epochs between two scores."""
    save_every_s: float = 600.0
    """Seconds after which a checkpoint is written in the middle of an epoch; one is written after every epoch."""
    save_every_steps: int | None = None
    """Steps after which a checkpoint is written, where time must not decide."""
    accumulate: int = 1
    """Parts in which a batch goes through the network."""
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the run's record says beside this: the text, its hash, the command."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a training takes."""

    steps: int
    steps_per_epoch: int

    @property
    def epochs(self) -> int:
        return -(-self.steps // self.steps_per_epoch)


def length_of(recipe: Training, examples: int) -> Length:
    """Raises Refused where the data do not fill one batch."""
    passes = examples // recipe.weights.batch
    if not passes:
        raise Refused(
            f"{examples} images do not fill one batch of {recipe.weights.batch}: "
            f"write a smaller `batch` in the recipe, or give `--batch {examples}`"
        )
    match recipe.duration:
        case Epochs(epochs, iterations):
            per_epoch = iterations or passes
            return Length(epochs * per_epoch, per_epoch)
        case Iterations(iterations):
            return Length(iterations, min(passes, iterations))
