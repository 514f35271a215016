"""The expected cost of decisions as a torch number: the program of `archdsl.cost.expectation`, run as it is.

Legend of shape suffixes: N answers of all variables, one behind the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from archdsl.cost.expectation.program import Expectation
from archdsl.space import QuestionPath
from archdsl.space.trace import Answers


def expected_cost(expectation: Expectation, answers: Answers, weights: Mapping[QuestionPath, Tensor]) -> Tensor:
    """The expected cost where each question has a given answer, or answers by their weights; differentiable by these.

    Of weights with one more at the end for `also = none` that share costs nothing. A question that `keep`s and has
    neither keeps all. Raises ValueError for a question without either.
    """
    parts: list[Tensor] = []
    device = next((each.device for each in weights.values()), torch.device("cpu"))
    for variable in expectation.variables:
        found = weights.get(variable.path, weights.get(variable.path.question))
        given = answers.get(variable.path, answers.get(variable.path.question))
        count = len(variable.answers)
        if found is not None:
            kept = found[:count].to(device, torch.float64)
            parts.append(torch.cat([kept, kept.new_zeros(count - len(kept))]))
            continue
        if given is None and not variable.keeps:
            raise ValueError(f"`{variable.path}` has neither an answer nor weights")
        hot = torch.zeros(count, dtype=torch.float64, device=device)
        hot[count - 1 if given is None else variable.answers.index(given)] = 1
        parts.append(hot)
    return _Expected.apply(torch.cat(parts), expectation)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


class _Expected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, chances_N: Tensor, expectation: Expectation) -> Tensor:
        value, gradient = expectation.value_and_gradient(chances_N.detach().cpu().numpy())
        ctx.save_for_backward(chances_N.new_tensor(gradient))
        return chances_N.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (gradient_N,) = ctx.saved_tensors
        return grad_outputs[0] * gradient_N, None
