"""The least and the greatest of a cost over all genotypes of a space, and a genotype that has it.

A cost is a sum of terms, each a number under conditions that are decision diagrams (`expectation.work`). Questions are
eliminated one by one: what hangs on a question is added up, and for each answer to the others the best answer to it is
taken (bucket elimination; Dechter, 1999). Sums are decision diagrams with numbers as leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf
from operator import add

from archdsl.cost.expectation.diagrams import Diagram
from archdsl.cost.expectation.work import Term, Work
from archdsl.space.concrete import Answer
from archdsl.space.path import QuestionPath
from archdsl.space.trace import trace


class Extreme(StrEnum):
    LEAST = "least"
    GREATEST = "greatest"


@dataclass(frozen=True, slots=True)
class Extremum:
    """The least or the greatest of a cost."""

    value: float
    answers: Mapping[QuestionPath, Answer]
    """A genotype that has it: answers to all that it is asked."""


def extremum(work: Work, cost: Callable[[Term], float], extreme: Extreme) -> Extremum:
    """Exact. Raises TooLarge where functions of too many questions would have to be told apart."""
    return _Elimination(work, extreme).run(cost)


class _Elimination:
    def __init__(self, work: Work, extreme: Extreme) -> None:
        self.work = work
        self.diagrams = work.diagrams
        self.extreme = extreme
        self.best: Callable[..., float] = min if extreme is Extreme.LEAST else max
        self._forbidden = inf if extreme is Extreme.LEAST else -inf

    def run(self, cost: Callable[[Term], float]) -> Extremum:
        factors = [*self._costs(cost), *self._order_of_branches(), *self._definitions()]
        constant = 0.0
        buckets: list[tuple[int, Diagram]] = []
        while True:
            constant += sum(self._value(each) for each in factors if not self._support(each))
            factors = [each for each in factors if self._support(each)]
            if not factors:
                break
            variable = self._next(factors)
            mine = [each for each in factors if variable in self._support(each)]
            joined = self._sum(mine)
            buckets.append((variable, joined))
            factors = [each for each in factors if variable not in self._support(each)]
            factors.append(self._without(joined, variable))
        return Extremum(constant, self._answers(buckets))

    # Sums ---------------------------------------------------------------------------------------

    def _costs(self, cost: Callable[[Term], float]) -> list[Diagram]:
        """What terms cost, those that hang on the same questions as one function."""
        weights: dict[Diagram, float] = {}
        for term in self.work.terms:
            when = self.diagrams.conjunction(*term.conditions)
            weights[when] = weights.get(when, 0.0) + term.sign * cost(term)
        alike: dict[frozenset[int], list[Diagram]] = {}
        for when, weight in weights.items():
            if weight:
                paid = self.diagrams.choose(when, self.diagrams.leaf(weight), self.diagrams.leaf(0.0))
                alike.setdefault(self._support(paid), []).append(paid)
        return [self._sum(each) for each in alike.values()]

    def _order_of_branches(self) -> list[Diagram]:
        """What it costs to break the order in which branches end: more than anything."""
        forbidden = self._forbidden
        found: list[Diagram] = []
        for constraint in self.work.program.constraints:
            ends = [self.work.program.branches[branch] for branch in constraint.branches]
            for (one, first), (other, second) in pairwise(zip(constraint.branches, ends, strict=True)):
                numbers = [self._places(branch.end, end.places) for branch, end in ((one, first), (other, second))]
                found.append(self.diagrams.apply(("order", forbidden), _in_order(forbidden), *numbers))
        return found

    def _definitions(self) -> list[Diagram]:
        """What it costs if a variable is not what it stands for."""
        found: list[Diagram] = []
        for variable, condition in self.work.definitions.items():
            says = self.diagrams.answered(variable, answer=1, count=2)
            found.append(self.diagrams.apply(("equal", self._forbidden), _if_equal(self._forbidden), says, condition))
        return found

    def _places(self, end: QuestionPath, places: Mapping[str, Hashable]) -> Diagram:
        leaves = {label: self.diagrams.leaf(place) for label, place in places.items()}
        if end not in self.work.variables.number:
            (only,) = leaves.values()
            return only
        number = self.work.variables.number[end]
        return self.diagrams.ask(number, [leaves[answer] for (answer,) in self.work.variables.all[number].answers])

    def _sum(self, factors: Iterable[Diagram]) -> Diagram:
        waiting = list(factors)
        while len(waiting) > 1:
            one, other, *rest = waiting
            waiting = [*rest, self.diagrams.apply("plus", add, one, other)]
        return waiting[0]

    # Questions ----------------------------------------------------------------------------------

    def _next(self, factors: Sequence[Diagram]) -> int:
        """The question that hangs together with the fewest others."""
        together: dict[int, frozenset[int]] = {}
        for factor in factors:
            support = self._support(factor)
            for variable in support:
                together[variable] = together.get(variable, frozenset()) | support
        return min(together, key=lambda variable: (len(together[variable]), -variable))

    def _without(self, diagram: Diagram, variable: int) -> Diagram:
        """The best over the answers to a question."""
        options = [self._answered(diagram, variable, answer) for answer in self._candidates(variable)]
        while len(options) > 1:
            one, other, *rest = options
            options = [self.diagrams.apply(self.extreme, self.best, one, other), *rest]
        return options[0]

    def _candidates(self, variable: int) -> range:
        if variable in self.work.definitions:
            return range(2)
        found = self.work.variables.all[variable]
        return range(len(found.answers) - found.keeps)

    def _answered(self, diagram: Diagram, variable: int, answer: int) -> Diagram:
        return self.diagrams.restrict(diagram, variable, answer)

    def _answers(self, buckets: Sequence[tuple[int, Diagram]]) -> Mapping[QuestionPath, Answer]:
        """The best answers, the question that was eliminated last first."""
        chosen = dict.fromkeys([*range(len(self.work.variables.all)), *self.work.definitions], 0)
        for variable, joined in reversed(buckets):
            options = {
                answer: self._value(self.diagrams.at(joined, {**chosen, variable: answer}))
                for answer in self._candidates(variable)
            }
            best = self.best(options.values())
            chosen[variable] = next(answer for answer, value in options.items() if value == best)
        variables = self.work.variables.all
        given = {each.path: each.answers[chosen.get(number, 0)] for number, each in enumerate(variables)}
        return {path: given[path] for path in trace(self.work.program, given).asked}

    def _support(self, diagram: Diagram) -> frozenset[int]:
        return self.diagrams.support(diagram)

    def _value(self, diagram: Diagram) -> float:
        found = self.diagrams.values[diagram]
        assert isinstance(found, float)
        return found


def _if_equal(forbidden: float) -> Callable[[Hashable, Hashable], float]:
    def price(one: Hashable, other: Hashable) -> float:
        return 0.0 if one == other else forbidden

    return price


def _in_order(forbidden: float) -> Callable[[Hashable, Hashable], float]:
    def price(one: Hashable, other: Hashable) -> float:
        assert isinstance(one, tuple) and isinstance(other, tuple)
        return 0.0 if one < other else forbidden

    return price
