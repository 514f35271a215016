"""Weights of answers that are perturbed while the weights of ops are stepped (SDARTS: Chen, Hsieh, ICML 2020)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import torch
from torch import Generator, Tensor

from archdsl.space import QuestionPath

Vectors: TypeAlias = "Mapping[QuestionPath, Tensor]"
STEPS: Final = 7
"""Steps of the attack, as in the published code."""


def random_perturbation(
    weights: Vectors, radius: float, generator: Generator | None = None
) -> dict[QuestionPath, Tensor]:
    """Weights with uniform noise from -radius to radius, from 0 to 1 again (random smoothing)."""
    noise = torch.empty_like(_flat(weights)).uniform_(-radius, radius, generator=generator)
    return _shifted(weights, noise)


def adversarial_perturbation(
    weights: Vectors,
    radius: float,
    loss: Callable[[Vectors], Tensor],
    *,
    steps: int = STEPS,
    generator: Generator | None = None,
) -> dict[QuestionPath, Tensor]:
    """Weights that differ by at most `radius` and make the loss large (adversarial attack).

    Projected gradient ascent by signs from a random start, in steps of 2.5 * radius / steps so that each point of the
    box can be reached; the published code takes 2 * radius / steps. `loss` is called once in a step; statistics of
    batch norms should not be updated in it.
    """
    noise = torch.empty_like(_flat(weights)).uniform_(-radius, radius, generator=generator)
    for _ in range(steps):
        noise.requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(loss(_shifted(_detached(weights), noise)), noise)
        noise = (noise.detach() + 2.5 * radius / steps * gradient.sign()).clamp(-radius, radius)
    return _shifted(weights, noise)


def _flat(weights: Vectors) -> Tensor:
    return torch.cat([each.detach() for each in weights.values()])


def _detached(weights: Vectors) -> Vectors:
    return {path: each.detach() for path, each in weights.items()}


def _shifted(weights: Vectors, noise: Tensor) -> dict[QuestionPath, Tensor]:
    parts = torch.split(noise, [len(each) for each in weights.values()])
    return {path: (each + part).clamp(0, 1) for (path, each), part in zip(weights.items(), parts, strict=True)}
