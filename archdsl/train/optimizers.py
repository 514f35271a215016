"""Optimizers, their learning-rate schedule, and the exponential moving average (EMA) of the weights."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import assert_never

import torch
from torch import Tensor, nn

from archdsl.settings.optimizers import Adam, Optimizer, Sgd
from archdsl.settings.schedules import Moment, value_at

FIRST = Moment(0.0, 0, 0)


def optimizer_of(recipe: Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The torch optimizer of a recipe, with the learning rate of the first step."""
    rate = value_at(recipe.lr, FIRST)
    match recipe:
        case Sgd(_, momentum, nesterov, weight_decay):
            return torch.optim.SGD(parameters, lr=rate, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        case Adam(_, betas, eps, weight_decay, decoupled):
            kind = torch.optim.AdamW if decoupled else torch.optim.Adam
            return kind(parameters, lr=rate, betas=betas, eps=eps, weight_decay=weight_decay)
        case _:
            assert_never(recipe)


def set_learning_rate(optimizer: torch.optim.Optimizer, recipe: Optimizer, moment: Moment) -> float:
    """Sets the learning rate that the schedule has at a moment, and returns it."""
    rate = value_at(recipe.lr, moment)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


class Ema:
    """Averages floating-point tensors, and copies all others (Polyak and Juditsky, 1992)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network = network
        self._decay = decay
        self.tensors = {name: each.detach().clone() for name, each in network.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Updates the average, after a step of the optimizer."""
        for name, value in self._network.state_dict().items():
            kept = self.tensors[name]
            if kept.is_floating_point():
                kept.lerp_(value, 1 - self._decay)
            else:
                kept.copy_(value)

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, kept in self.tensors.items():
            kept.copy_(tensors[name])

    @contextmanager
    def used(self) -> Generator[None]:
        """The network has the averaged weights while the body runs."""
        own = {name: each.detach().clone() for name, each in self._network.state_dict().items()}
        self._network.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self._network.load_state_dict(own)
