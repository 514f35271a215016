"""Weights of answers from logits, and samples of answers: each a function of questions that have equally many answers.

Legend of shape suffixes: Q questions, N answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

import torch
from torch import Generator, Tensor
from torch.nn import functional

from archdsl.settings.relaxations import Dirichlet, Method, Mixing, Relaxation, Untrained, WithoutLogits
from archdsl.settings.schedules import Moment, value_at

_LEAST: Final = 1e-6
"""Concentrations are at least that large: elu(logit) + 1 is rounded to zero for logits below about -17."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a relaxation gives: weights, an answer, or both (straight through)."""

    weights_QN: Tensor | None
    picked_Q: Tensor | None
    """The number of the answer of each question."""


def drawn(rule: Mixing, logits_QN: Tensor, moment: Moment, generator: Generator | None) -> Drawn:
    """The weights and answers of some questions at a moment; of logits that a rule does not use the shape is read."""
    match rule:
        case Relaxation(method):
            return _by_logits(method, logits_QN, value_at(rule.temperature, moment), generator)
        case Dirichlet():
            return Drawn(dirichlet(logits_QN, generator), None)
        case WithoutLogits(Untrained.UNIFORM):
            return Drawn(uniform(logits_QN), None)
        case WithoutLogits():
            return Drawn(None, one_path(logits_QN, generator))
        case _:
            assert_never(rule)


def probabilities(rule: Mixing, logits_QN: Tensor) -> Tensor:
    """Those of answers as they are derived: the mean of samples, at a temperature of 1."""
    match rule:
        case Relaxation():
            return logits_QN.softmax(-1)
        case Dirichlet():
            means_QN = concentrations(logits_QN)
            return means_QN / means_QN.sum(-1, keepdim=True)
        case WithoutLogits():
            return uniform(logits_QN)
        case _:
            assert_never(rule)


def _by_logits(method: Method, logits_QN: Tensor, temperature: float, generator: Generator | None) -> Drawn:
    match method:
        case Method.SOFTMAX:
            return Drawn(softmax(logits_QN, temperature), None)
        case Method.GUMBEL:
            return Drawn(gumbel(logits_QN, temperature, generator), None)
        case Method.GUMBEL_HARD:
            weights_QN = gumbel_hard(logits_QN, temperature, generator)
        case Method.REINMAX:
            weights_QN = reinmax(logits_QN, temperature, generator)
        case _:
            assert_never(method)
    return Drawn(weights_QN, weights_QN.argmax(-1))


def softmax(logits_QN: Tensor, temperature: float) -> Tensor:
    """Probabilities (DARTS, section 2.2, equation 2)."""
    return (logits_QN / temperature).softmax(-1)


def gumbel(logits_QN: Tensor, temperature: float, generator: Generator | None = None) -> Tensor:
    """The same with Gumbel noise on the logits (Jang, Gu, Poole, ICLR 2017; AutoRTNet, equation 3)."""
    return ((logits_QN + _gumbel_noise(logits_QN, generator)) / temperature).softmax(-1)


def gumbel_hard(logits_QN: Tensor, temperature: float, generator: Generator | None = None) -> Tensor:
    """One-hot samples; gradients are those of `gumbel` with the same noise (Jang, Gu, Poole: straight through)."""
    soft_QN = gumbel(logits_QN, temperature, generator)
    return _straight_through(_one_hot(soft_QN.argmax(-1), soft_QN), soft_QN)


def reinmax(logits_QN: Tensor, temperature: float, generator: Generator | None = None) -> Tensor:
    """One-hot samples whose expected gradient is exact for functions of second degree, at a temperature of 1.

    ReinMax (Liu, Dong, Liu, Yu, Gao, NeurIPS 2023, and the published code): twice the straight-through
    gradient at the mean of the sample and of the tempered probabilities, less half of that at the probabilities.
    A supernet that runs the sampled answer alone gives a gradient to its weight and none to the others', so there it is
    the part of it that goes through that answer's map.
    """
    soft_QN = logits_QN.softmax(-1)
    picked_Q = torch.multinomial(soft_QN.detach(), 1, generator=generator).squeeze(-1)
    sample_QN = _one_hot(picked_Q, soft_QN)
    middle_QN = (sample_QN + softmax(logits_QN, temperature)).detach() / 2
    # A softmax that gives `middle` and has its derivative.
    shifted_QN = (logits_QN + (middle_QN.log() - logits_QN).detach()).softmax(-1)
    return _straight_through(sample_QN, 2 * shifted_QN - soft_QN / 2)


def dirichlet(logits_QN: Tensor, generator: Generator | None = None) -> Tensor:
    """Weights from Dirichlet distributions, with the pathwise gradient (DrNAS: Chen et al., ICLR 2021)."""
    # A Dirichlet variable is gamma variables over their sum; torch.distributions has no generator.
    gamma_QN: Tensor = torch._standard_gamma(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
        concentrations(logits_QN), generator=generator
    )
    return gamma_QN / gamma_QN.sum(-1, keepdim=True)


def concentrations(logits_QN: Tensor) -> Tensor:
    """Those of the Dirichlet distributions: elu(logits) + 1, so logits of zero are the uniform distribution (DrNAS)."""
    return (functional.elu(logits_QN) + 1).clamp(min=_LEAST)


def anchor_distance(logits_QN: Tensor) -> Tensor:
    """The squared distance of concentrations from 1, which DrNAS adds to the loss; a scalar."""
    return functional.elu(logits_QN).square().sum()


def uniform(logits_QN: Tensor) -> Tensor:
    """Equal weights."""
    return torch.full_like(logits_QN, 1 / logits_QN.shape[-1])


def one_path(logits_QN: Tensor, generator: Generator | None = None) -> Tensor:
    """Answers by their numbers, each as likely as any other (Guo et al., ECCV 2020, uniform sampling)."""
    questions, answers = logits_QN.shape
    return torch.randint(answers, (questions,), generator=generator, device=logits_QN.device)


def _straight_through(value_QN: Tensor, gradient_QN: Tensor) -> Tensor:
    """The one, exactly, with the gradient of the other."""
    return value_QN + (gradient_QN - gradient_QN.detach())


def _one_hot(picked_Q: Tensor, like_QN: Tensor) -> Tensor:
    return torch.zeros_like(like_QN).scatter_(-1, picked_Q[:, None], 1.0)


def _gumbel_noise(like_QN: Tensor, generator: Generator | None) -> Tensor:
    """Of a standard Gumbel distribution: the negative logarithm of an exponential variable."""
    return -torch.empty_like(like_QN).exponential_(generator=generator).log()
