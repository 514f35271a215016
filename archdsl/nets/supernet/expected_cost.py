"""Expected costs of decisions as torch numbers: found by numpy (`archdsl.cost.expectation`), with their gradients.

Legend of shape suffixes: N answers of all variables, one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    weights = {path: each for path, each in decisions.weights.items() if path.question not in edges}
    pool = _Pool(weights)
    asked: list[bool] = []
    for variable in variables:
        path = variable.path
        weighted = path if path in weights else path.question if path.question in weights else None
        answer = decisions.answers.get(path, decisions.answers.get(path.question))
        asked.append(weighted is not None or answer is not None)
        if weighted is not None:
            pool.take(weighted, variable, candidates(path))
        elif answer is not None or variable.keeps:
            hot = variable.answers.index(EVERY if answer is None else answer)
            pool.constant(float(position == hot) for position in range(len(variable.answers)))
        elif (
            path not in asked_of
            or not decisions.searching
            or program.questions[path.question].kind is QuestionKind.BRANCH
        ):
            pool.constant([1 / len(variable.answers)] * len(variable.answers))
        else:
            raise ValueError(f"`{path}` has neither an answer nor weights")
    return DecidedChances(pool.placed(), asked)


class _Pool:
    """Weights and constants that chances are taken from: they are joined once, and not for each variable."""

    def __init__(self, weights: Mapping[QuestionPath, Tensor]) -> None:
        self._tensors = list(weights.values())
        self._starts: dict[QuestionPath, int] = {}
        self._size = 0
        for path, each in weights.items():
            self._starts[path] = self._size
            self._size += len(each)
        self._constants: dict[float, int] = {}
        self._places: list[int] = []

    def take(self, path: QuestionPath, variable: Variable, candidates: Sequence[str]) -> None:
        """The weights of a question, where its candidates stand among the answers of a variable."""
        start = self._starts[path]
        if len(candidates) == len(variable.answers):
            self._places += range(start, start + len(candidates))
            return
        found: dict[tuple[str, ...], int] = {(each,): start + at for at, each in enumerate(candidates)}
        zero = self._constant(0.0)
        self._places += [found.get(answer, zero) for answer in variable.answers]

    def constant(self, numbers: Iterable[float]) -> None:
        self._places += [self._constant(each) for each in numbers]

    def _constant(self, number: float) -> int:
        return self._constants.setdefault(number, self._size + len(self._constants))

    def placed(self) -> Tensor:
        """What was taken, one behind the other, in double precision."""
        device = self._tensors[0].device if self._tensors else torch.device("cpu")
        constants = torch.tensor(list(self._constants), dtype=torch.float64, device=device)
        pool = torch.cat([*self._tensors, constants])
        return pool[torch.tensor(self._places, dtype=torch.long, device=device)]


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
