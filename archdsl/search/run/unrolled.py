"""Second-order gradients of answers: at weights that one step more has changed (DARTS, section 2.3).

    dL_val(w', a) / da - xi * d2 L_train(w, a) / da dw * dL_val(w', a) / dw',  w' = w - xi * dL_train(w, a) / dw

The product with the second derivative is a finite difference (equation 8): of dL_train / da at w + e v and w - e v,
with v = dL_val / dw' and e = 0.01 / |v| (footnote 2). The step to w' is that of equation 6, without momentum and weight
decay, which the published code adds to it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from archdsl.search.run.gradients import At, Gradients, Values, joined
from archdsl.search.run.player import Player
from archdsl.search.undisturbed import kept_statistics
from archdsl.train.losses import Batch

RADIUS: Final = 0.01
"""The length of the finite difference: e |v|."""


def of_answers(
    gradients: Gradients, player: Player, weights: Sequence[Batch], answers: Sequence[Batch], at: At, rate: float
) -> Values:
    """Adds the second-order gradient by the logits; `weights` and `answers` are batches of either part of the data.

    `rate` is xi. Neither weights nor running statistics are changed.
    """
    supernet = gradients.supernet
    learned = [each for each in player.parameters() if each.requires_grad]
    with kept_statistics(supernet):
        first = _by_weights(gradients, player, weights, at)
        with _shifted(supernet, first, -rate):
            values = gradients.of_both(player, answers, at)
            joined(learned)
            towards = _taken(supernet)
        length = _length(towards)
        if length == 0:
            return values
        found = [None if each.grad is None else each.grad.clone() for each in learned]
        radius = RADIUS / length
        either: list[list[Tensor | None]] = []
        for sign in (1, -1):
            _clear(learned)
            with _shifted(supernet, towards, sign * radius):
                gradients.of_loss(player, weights, at)
            joined(learned)
            either.append([each.grad for each in learned])
    for parameter, own, above, below in zip(learned, found, *either, strict=True):
        parameter.grad = own
        if above is not None and below is not None:
            mixed = rate * (above - below) / (2 * radius)
            parameter.grad = -mixed if own is None else own - mixed
    return values


def _by_weights(gradients: Gradients, player: Player, batches: Sequence[Batch], at: At) -> Mapping[str, Tensor]:
    """dL_train / dw; no other gradient is left."""
    gradients.of_weights(player, batches, at)
    return _taken(gradients.supernet)


def _taken(network: nn.Module) -> Mapping[str, Tensor]:
    """The gradients of its parameters, which have none after it."""
    parameters = dict(network.named_parameters())
    joined(parameters.values())
    found = {name: each.grad for name, each in parameters.items() if each.grad is not None}
    _clear(parameters.values())
    return found


def _clear(parameters: Iterable[nn.Parameter]) -> None:
    for each in parameters:
        each.grad = None


def _length(vectors: Mapping[str, Tensor]) -> float:
    return sum(float(each.double().square().sum()) for each in vectors.values()) ** 0.5


@contextmanager
def _shifted(network: nn.Module, by: Mapping[str, Tensor], scale: float) -> Generator[None]:
    """Its parameters are moved within it, and then what they were, to the bit."""
    parameters = {name: each for name, each in network.named_parameters() if name in by}
    before = {name: each.detach().clone() for name, each in parameters.items()}
    with torch.no_grad():
        for name, each in parameters.items():
            each.add_(by[name], alpha=scale)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, each in parameters.items():
                each.copy_(before[name])
