"""How parameters are stepped: `arch = adam(lr = 3e-4)`, `weights = sgd(lr = poly(0.01), batch = 16, clip = 5)`."""

from __future__ import annotations

from typing import TypeAlias

from archdsl.settings.schedules import LEARNING_RATE, Schedule
from archdsl.settings.schema import Extended, Flag, Number, OneOf, Pair, Place, Spelling, Whole, form, setting

_MOMENTUM = Number(0, below=1)
_DECAY = Number(0)


@form("sgd")
class Sgd:
    """Stochastic gradient descent; the weight decay is added to the gradient."""

    lr: Schedule = setting(LEARNING_RATE, "learning rate", place=Place.FIRST)
    momentum: float = setting(_MOMENTUM, "decay of the running gradient", default=0.0)
    nesterov: bool = setting(Flag(), "the momentum of Nesterov", default=False)
    weight_decay: float = setting(_DECAY, "factor of the squared weights", default=0.0)


@form(
    Spelling("adam", "Adam; the weight decay is added to the gradient", {"decoupled": False}, "Kingma, Ba, ICLR 2015"),
    Spelling(
        "adamw",
        "Adam; the weight decay stays out of the moments",
        {"decoupled": True},
        "Loshchilov, Hutter, ICLR 2019",
    ),
)
class Adam:
    """`adam(lr = …)`, `adamw(lr = …)`."""

    lr: Schedule = setting(LEARNING_RATE, "learning rate", place=Place.FIRST)
    betas: tuple[float, float] = setting(
        Pair(_MOMENTUM, "(0.5, 0.999)"), "decays of the two moments", default=(0.9, 0.999)
    )
    eps: float = setting(Number(above=0), "added to the denominator", default=1e-8)
    weight_decay: float = setting(_DECAY, "factor of the squared weights", default=0.0)
    decoupled: bool = False


Optimizer: TypeAlias = "Sgd | Adam"
OPTIMIZER = OneOf("optimizer", lambda: (Sgd, Adam))


@form()
class WeightStep:
    """How the weights of a network are stepped."""

    optimizer: Optimizer
    batch: int = setting(Whole(1, 1_000_000), "images in a step, over all devices together", unit="images")
    clip: float | None = setting(Number(above=0), "the largest norm of all gradients together", default=None)


WEIGHT_STEP = Extended(OPTIMIZER, WeightStep, "optimizer")
