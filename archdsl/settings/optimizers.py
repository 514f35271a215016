"""How parameters are stepped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archdsl.settings.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Sgd:
    """`sgd(lr = …, momentum = 0.9)`; the weight decay is added to the gradient."""

    lr: Schedule
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0


@dataclass(frozen=True, slots=True)
class Adam:
    """`adam(lr = …)`; with `decoupled` the weight decay stays out of the moments (AdamW: `adamw(…)`)."""

    lr: Schedule
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False


Optimizer: TypeAlias = "Sgd | Adam"


@dataclass(frozen=True, slots=True)
class WeightStep:
    """How the weights of a network are stepped: `weights = sgd(…, batch = 16, clip = 5)`."""

    optimizer: Optimizer
    batch: int
    """Images in a step, over all devices together."""
    clip: float | None = None
    """The largest norm of all gradients together."""
