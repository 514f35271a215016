"""Losses: `loss = ohem(threshold = 0.7)`, `distill = kl(temperature = 1)`."""

from __future__ import annotations

from archdsl.sema.settings.forms import Form, Make, Read, in_set, one_of
from archdsl.sema.settings.values import number, word
from archdsl.settings.losses import (
    Bootstrapped,
    ClassWeights,
    CrossEntropy,
    Direction,
    Distillation,
    Heads,
    Loss,
    Mean,
    Ohem,
)

_SHARE = number(above=0, high=1)


def _weights(form: Form) -> ClassWeights:
    return form.take("class_weights", word(ClassWeights, "way to weigh classes"), ClassWeights.NONE)


LOSSES: dict[str, Make[Loss]] = {
    "cross_entropy": lambda form: CrossEntropy(_weights(form), form.take("label_smoothing", number(0, below=1), 0.0)),
    "ohem": lambda form: Ohem(
        form.take("threshold", number(above=0, below=1), 0.7), form.take("keep", _SHARE, 1 / 16), _weights(form)
    ),
    "bootstrapped_cross_entropy": lambda form: Bootstrapped(form.take("keep", _SHARE, 1 / 4), _weights(form)),
}


def _searched(make: Make[Loss]) -> Make[tuple[Loss, tuple[Heads, ...]]]:
    def both(form: Form) -> tuple[Loss, tuple[Heads, ...]]:
        heads = form.take("over", in_set(word(Heads, "kind of heads")), (Heads.OUTPUT,))
        return make(form), heads

    return both


loss: Read[Loss] = one_of("loss", LOSSES)
searched_loss: Read[tuple[Loss, tuple[Heads, ...]]] = one_of(
    "loss", {name: _searched(make) for name, make in LOSSES.items()}
)
"""The loss of a search, and the heads that it is summed over."""


def _kl(form: Form) -> Distillation:
    return Distillation(
        form.take("weight", number(above=0), 1.0),
        form.take("temperature", number(above=0), 1.0),
        form.take("direction", word(Direction, "direction of a divergence"), Direction.STUDENT_TEACHER),
        form.take("mean", word(Mean, "mean of a divergence"), Mean.PIXELS),
    )


distillation: Read[Distillation] = one_of("distillation", {"kl": _kl})
