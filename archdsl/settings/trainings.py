"""A training: how a network found in a space is trained from scratch or from pretrained weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archdsl.settings.losses import Distillation, Loss
from archdsl.settings.optimizers import WeightStep


@dataclass(frozen=True, slots=True)
class Epochs:
    """`epochs = 200`: passes over the data, or so many times `iterations` where both are given."""

    epochs: int
    iterations: int | None = None
    """Iterations that count as one epoch; None: as many as the data give."""


@dataclass(frozen=True, slots=True)
class Iterations:
    """`iterations = 90_000`: steps."""

    iterations: int


Duration: TypeAlias = "Epochs | Iterations"


@dataclass(frozen=True, slots=True)
class Flip:
    """Left and right, every other time."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor between the two, uniform."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Crop:
    """A window of this height and width; of the size of the network's image where none is given."""

    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Colour:
    """Brightness, contrast and saturation, each by a factor between `1 - x` and `1 + x`."""

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0


Augmentation: TypeAlias = "Flip | Scale | Crop | Colour"


@dataclass(frozen=True, slots=True)
class Initial:
    """`imagenet(body)`: weights of a training on that kind of data, of the whole network or of one part of it."""

    data: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """The weights of auxiliary outputs in the loss."""

    weight: float = 1.0
    """Of those that are not named."""
    named: tuple[tuple[str, float], ...] = ()

    def of(self, output: str) -> float:
        return dict(self.named).get(output, self.weight)


@dataclass(frozen=True, slots=True)
class Training:
    name: str
    space: str
    parameters: tuple[tuple[str, str], ...]
    initial: Initial | None
    duration: Duration
    loss: Loss
    auxiliary: Auxiliary
    weights: WeightStep
    augment: tuple[Augmentation, ...]
    distill: Distillation | None
    ema: float | None = None
    """Decay of a moving average of the weights, which is then what is evaluated and kept."""
