"""Expected costs of decisions as torch numbers: found by numpy (`archdsl.cost.expectation`), with their gradients.

Legend of shape suffixes: N answers of all variables, one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from archdsl.cost.expectation.program import Array, Expectation
from archdsl.cost.expectation.symbolic import EVERY, Variable
from archdsl.nets.supernet.decisions import Decisions
from archdsl.space import Program, QuestionKind, QuestionPath


@dataclass(frozen=True, slots=True)
class DecidedChances:
    """The chances that decisions give to answers."""

    chances_N: Tensor
    """In double precision."""
    asked: Sequence[bool]
    """For each variable whether decisions have an answer or weights."""

    @property
    def values(self) -> Array:
        return self.chances_N.detach().cpu().numpy()

    def with_gradient(self, value: float, gradient: Array) -> Tensor:
        """A number that was found for these chances, with its gradient: a scalar in double precision."""
        return _Known.apply(self.chances_N, value, gradient)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def expected_cost(expectation: Expectation, chances: DecidedChances) -> Tensor:
    """The expected cost, a scalar in double precision; differentiable by the weights of decisions."""
    return chances.with_gradient(*expectation.value_and_gradient(chances.values))


def decided_chances(
    variables: Sequence[Variable],
    asked_of: Collection[QuestionPath],
    program: Program,
    decisions: Decisions,
    candidates: Callable[[QuestionPath], Sequence[str]],
) -> DecidedChances:
    """The chances of answers that are drawn by their weights, each by itself.

    `candidates` are those that the weights of a question are of, in their order; of weights with one more at the end
    for `also = none` that share is nobody's. A sum that keeps some inputs keeps all where nothing is decided, and a
    branch ends anywhere with the same chance; so is what a genotype does not answer, as nothing asks it, and what is
    not among `asked_of`. Raises ValueError for another question that has neither an answer nor weights.
    """
    edges = decisions.partial.edges if decisions.partial is not None else ()  # all edges are run
    device = next((each.device for each in decisions.weights.values()), torch.device("cpu"))
    found: list[Tensor] = []
    asked: list[bool] = []
    for variable in variables:
        path, count = variable.path, len(variable.answers)
        weights = None
        if path.question not in edges:
            weights = decisions.weights.get(path, decisions.weights.get(path.question))
        answer = decisions.answers.get(path, decisions.answers.get(path.question))
        asked.append(weights is not None or answer is not None)
        if weights is not None:
            found.append(_placed(weights.to(device, torch.float64), variable, candidates(path)))
        elif answer is not None or variable.keeps:
            hot = torch.zeros(count, dtype=torch.float64, device=device)
            hot[variable.answers.index(EVERY if answer is None else answer)] = 1
            found.append(hot)
        elif (
            path not in asked_of
            or not decisions.searching
            or program.questions[path.question].kind is QuestionKind.BRANCH
        ):
            found.append(torch.full((count,), 1 / count, dtype=torch.float64, device=device))
        else:
            raise ValueError(f"`{path}` has neither an answer nor weights")
    return DecidedChances(torch.cat(found) if found else torch.zeros(0, dtype=torch.float64), asked)


def _placed(weights: Tensor, variable: Variable, candidates: Sequence[str]) -> Tensor:
    """Weights of some answers of a variable where these stand among all of them."""
    count = len(variable.answers)
    if len(candidates) == count:
        return weights[:count]
    places = [variable.answers.index((each,)) for each in candidates]
    return weights.new_zeros(count).index_put((torch.tensor(places, device=weights.device),), weights[: len(places)])


class _Known(torch.autograd.Function):
    """A number whose derivative by chances is known."""

    @staticmethod
    def forward(ctx: Any, chances_N: Tensor, value: float, gradient: Array) -> Tensor:
        ctx.save_for_backward(chances_N.new_tensor(gradient))
        return chances_N.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (gradient_N,) = ctx.saved_tensors
        return grad_outputs[0] * gradient_N, None, None
