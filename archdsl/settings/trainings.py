"""A training: how a network found in a space is trained from scratch or from pretrained weights."""

from __future__ import annotations

from typing import TypeAlias

from archdsl.settings.losses import DISTILLATION, LOSS, CrossEntropy, Distillation, Loss
from archdsl.settings.optimizers import WEIGHT_STEP, WeightStep
from archdsl.settings.schema import (
    Lines,
    Name,
    Number,
    OneOf,
    OutputWeights,
    Place,
    Reference,
    Rule,
    Several,
    Size,
    Spelling,
    Whole,
    form,
    setting,
)


@form()
class Epochs:
    """Passes over the data, or so many times a number of iterations."""

    epochs: int = setting(Whole(), "passes over the data", unit="epochs")
    iterations: int | None = setting(
        Whole(),
        "iterations that count as one epoch; left out: one pass over the data",
        default=None,
        word="iterations_per_epoch",
        unit="iterations",
    )


@form()
class Iterations:
    """Steps."""

    iterations: int = setting(Whole(), "steps, instead of `epochs`", unit="iterations")


Duration: TypeAlias = "Epochs | Iterations"
DURATION = Lines((Epochs, Iterations))


@form("flip")
class Flip:
    """Left and right, every other time."""


_FACTOR = Number(above=0, high=100)


@form("scale")
class Scale:
    """By a factor between two numbers, uniform."""

    low: float = setting(_FACTOR, "the smallest factor", word="from", place=Place.FIRST)
    high: float = setting(_FACTOR, "the largest factor", word="to", place=Place.FIRST)


@form("crop")
class Crop:
    """A window."""

    size: tuple[int, int] | None = setting(
        Size(), "height and width; left out: the size of the network's image", default=None, place=Place.BARE
    )


_AMOUNT = Number(0, 1)


@form("colour")
class Colour:
    """Each by a factor between 1 - x and 1 + x, uniform."""

    brightness: float = setting(_AMOUNT, "x of the brightness", default=0.0)
    contrast: float = setting(_AMOUNT, "x of the contrast", default=0.0)
    saturation: float = setting(_AMOUNT, "x of the saturation", default=0.0)


Augmentation: TypeAlias = "Flip | Scale | Crop | Colour"
AUGMENTATION = OneOf("augmentation", lambda: (Flip, Scale, Crop, Colour))

DATA = ("imagenet", "cityscapes", "camvid", "bdd", "streets")


@form(*(Spelling(data, "", {"data": data}) for data in DATA))
class Initial:
    """Weights of a training on that kind of data."""

    data: str
    part: str = setting(
        Name(Reference.PART), "of that part; left out: of the whole network", default="", place=Place.BARE
    )


INITIAL = OneOf("kind of data to start from", lambda: (Initial,))


@form("weights")
class Auxiliary:
    """A number for each output, by its name; 1 for one that is not named."""

    weight: float = setting(Number(0), "of those that are not named", default=1.0, place=Place.BARE)
    named: tuple[tuple[str, float], ...] = setting(
        OutputWeights(Number(0)), "by the name of the output", default=(), word="OUTPUT"
    )

    def of(self, output: str) -> float:
        return dict(self.named).get(output, self.weight)


AUXILIARY = OneOf("way to weigh outputs", lambda: (Auxiliary,), plain=Auxiliary, rule=Rule.AUXILIARY_OUTPUTS)


@form(kw_only=True)
class Training:
    """`train NAME of SPACE { … }`."""

    name: str
    space: str
    parameters: tuple[tuple[str, str], ...]
    of: str
    """What stands behind `of`, as it is spelled: `fasterseg(w = 8)`."""
    initial: Initial | None = setting(
        INITIAL, "weights to begin with; left out: random ones", default=None, word="from"
    )
    duration: Duration = setting(DURATION, "how long", example="`epochs = 100`, or `iterations = 90_000`")
    loss: Loss = setting(LOSS, "what is made small", default=CrossEntropy())
    auxiliary: Auxiliary = setting(
        AUXILIARY,
        "the weights of auxiliary outputs in the loss: a number for all, or one for each",
        default=Auxiliary(),
        optional_use=True,
    )
    weights: WeightStep = setting(
        WEIGHT_STEP, "how weights are stepped", example="`weights = sgd(lr = poly(0.01), batch = 16)`"
    )
    augment: tuple[Augmentation, ...] = setting(
        Several(AUGMENTATION), "what is done to images, in this order", default=()
    )
    distill: Distillation | None = setting(DISTILLATION, "how it learns from a teacher (`--teacher RUN`)", default=None)
    ema: float | None = setting(
        Number(above=0, below=1),
        "decay of a moving average of the weights, which is then evaluated and kept",
        default=None,
    )
