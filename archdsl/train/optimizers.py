"""Optimizers as recipes say them, stepped with the learning rate of the moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import torch
from torch import nn

from archdsl.settings.optimizers import Adam, Optimizer, Sgd
from archdsl.settings.schedules import Moment, value_at

FIRST = Moment(0.0, 0, 0)


def optimizer_of(recipe: Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """torch's own optimizer, with the learning rate of the first step."""
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
    """Sets the learning rate of the moment, and gives it."""
    rate = value_at(recipe.lr, moment)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate
