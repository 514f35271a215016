"""The dominant eigenvalue of the Hessian of a loss by the logits of a search: how sharp the loss is where it stands.

RobustDARTS (Zela et al., ICLR 2020, section 4): networks that are derived where the validation loss is sharp in the
logits lose the most when answers are made discrete, and the eigenvalue grows before skip connections win. As in the
published code it is the largest eigenvalue by value (not by size), of a held batch, in training mode.

Logits stand for probabilities here as they do where answers are derived: without noise, at a temperature of 1
(`PhaseRelaxation.expected`), so that eigenvalues of two epochs compare while a temperature falls. Probabilities do not
change where all logits of a question grow alike, so the Hessian has the eigenvalue 0, and the largest is none below it.

Second derivatives are exact. Networks of rectifiers have so many kinks that differences of gradients (DARTS, equation
8) measure those: of GAS with f = 4 on four images of 64x128 they gave 4 to 65 times the eigenvalue, by their distance.

Legend of shape suffixes: L logits of all questions, K steps of Lanczos.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, cast

import torch
from torch import Tensor

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.relaxation import PhaseRelaxation
from archdsl.search.undisturbed import undisturbed
from archdsl.space import QuestionPath
from archdsl.train.distributed import all_reduce_sum, world_size
from archdsl.train.typed_torch import eigenvectors, forked_noise, manual_seed

Vectors: TypeAlias = "Mapping[QuestionPath, Tensor]"

STEPS: Final = 20
TOLERANCE: Final = 0.01


def eigenvalue_of(
    supernet: Supernet,
    relaxation: PhaseRelaxation,
    loss: Callable[[Decisions], Tensor],
    *,
    seed: int = 0,
    guide: Callable[[Vectors], Vectors] | None = None,
) -> float:
    """The dominant eigenvalue by the logits of a phase.

    `loss` is that of decisions on a batch that is held: the phase's loss on images for answers, without costs, which
    say nothing of sharpness. It calls the supernet as it is, that is in training mode, and in single precision, without
    autocast. Meanwhile the supernet runs node by node, since its fused layers have no second derivatives, and its
    weights take no gradients; behind, statistics of batch norms are what they were before. With a guide the logits are
    those before it. Raises NotMeasured.

    It holds every map of a pass and of its gradient, some times what a step holds: a part of a batch may have to do.
    Processes that share a search call it together, each with its part of the batch, and have the same number.
    """

    def by_logits(vectors: Vectors) -> Tensor:
        return loss(relaxation.expected(logits=vectors if guide is None else guide(vectors)))

    with undisturbed(supernet), supernet.node_by_node():
        return dominant_eigenvalue(by_logits, relaxation.logits.vectors, seed=seed)


class NotMeasured(Exception):
    """A loss whose derivatives are not finite."""


def dominant_eigenvalue(
    loss: Callable[[Vectors], Tensor],
    logits: Vectors,
    *,
    seed: int = 0,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
) -> float:
    """The largest eigenvalue of the Hessian of `loss`, a scalar with second derivatives, at these logits.

    By Lanczos' method with full orthogonalisation: the largest Ritz value, once its residual is at most `tolerance` of
    it, or after so many `steps`; exact for no more logits than steps. The loss is called once, and each step takes one
    product with the Hessian (Pearlmutter, 1994). Equal seeds give equal numbers, of a loss that draws random numbers
    too. Of several processes it is that of the mean of their losses. Raises NotMeasured.
    """
    with forked_noise({each.device for each in logits.values() if each.device.type != "cpu"}):
        manual_seed(seed)
        hessian = _Hessian(loss, logits)
    if not hessian.size:
        return 0.0
    generator = torch.Generator().manual_seed(seed)
    direction_L = torch.randn(hessian.size, generator=generator, dtype=torch.float64)
    basis: list[Tensor] = [direction_L / _length(direction_L)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        product_L = hessian.times(basis[-1])
        diagonal.append(float(basis[-1] @ product_L))
        known_KL = torch.stack(basis)
        for _ in range(2):  # twice is enough (Parlett, The Symmetric Eigenvalue Problem, section 6.9)
            product_L = product_L - known_KL.T @ (known_KL @ product_L)
        rest = _length(product_L)
        largest, residual = _ritz(diagonal, beside, rest)
        if len(basis) == min(steps, hessian.size) or residual <= tolerance * abs(largest):
            return largest
        beside.append(rest)
        basis.append(product_L / rest)


def _ritz(diagonal: list[float], beside: list[float], rest: float) -> tuple[float, float]:
    """The largest eigenvalue of a tridiagonal matrix, and the residual of its vector in the whole space."""
    matrix_KK = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if beside:
        off_K = torch.tensor(beside, dtype=torch.float64)
        matrix_KK = matrix_KK + torch.diag(off_K, 1) + torch.diag(off_K, -1)
    values_K, vectors_KK = eigenvectors(matrix_KK)
    return float(values_K[-1]), rest * abs(float(vectors_KK[-1, -1]))


def _length(vector_L: Tensor) -> float:
    return float(vector_L @ vector_L) ** 0.5


class _Hessian:
    """The Hessian of a loss, by what it does to a vector. Logits that the loss does not read are no part of it."""

    def __init__(self, loss: Callable[[Vectors], Tensor], logits: Vectors) -> None:
        leaves = {path: vector.detach().clone().requires_grad_() for path, vector in logits.items()}
        self._leaves: list[Tensor] = []
        self._gradients: list[Tensor] = []
        with torch.enable_grad():
            value = loss(leaves)
            if value.requires_grad:
                every = torch.autograd.grad(value, list(leaves.values()), create_graph=True, allow_unused=True)
                for leaf, gradient in zip(leaves.values(), cast("Sequence[Tensor | None]", every), strict=True):
                    if gradient is not None:
                        self._leaves.append(leaf)
                        self._gradients.append(gradient)
        self.size = sum(each.numel() for each in self._leaves)

    def times(self, direction_L: Tensor) -> Tensor:
        """The product with a vector; both in double precision on the CPU."""
        parts = torch.split(direction_L, [each.numel() for each in self._leaves])
        curved = [
            (each, part.to(each)) for each, part in zip(self._gradients, parts, strict=True) if each.requires_grad
        ]
        if not curved:
            return torch.zeros_like(direction_L)
        gradients, directions = zip(*curved, strict=True)
        found = torch.autograd.grad(gradients, self._leaves, directions, retain_graph=True, materialize_grads=True)
        mean_L = all_reduce_sum(torch.cat([each.double() for each in found])) / world_size()
        found_L = mean_L.cpu()
        if not bool(found_L.isfinite().all()):
            raise NotMeasured("the loss has NaN or infinite second derivatives by the logits")
        return found_L
