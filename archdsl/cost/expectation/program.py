"""The expectation as array steps: chances of diagrams level by level, then one sum of products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.expectation.chances import placed
from archdsl.cost.expectation.diagrams import Diagram, Diagrams
from archdsl.cost.expectation.symbolic import Variable
from archdsl.cost.expectation.work import Term, Work
from archdsl.space import QuestionPath

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Level:
    """Diagrams that hang on those of earlier levels alone. An edge leads from a diagram by an answer to another one."""

    places: slice
    chances: NDArray[np.intp]
    """For each edge the place of the answer's chance, edges of one diagram one behind the other."""
    children: NDArray[np.intp]
    """For each edge the place of the diagram that it leads to."""
    first: NDArray[np.intp]
    """For each diagram its first edge."""
    read: NDArray[np.intp]
    """The diagrams of this level that others lead to."""
    parents: NDArray[np.intp]
    """For each edge that leads here the diagram that it comes from, those to one diagram one behind the other."""
    parent_chances: NDArray[np.intp]
    parent_first: NDArray[np.intp]


@dataclass(frozen=True)
class Expectation:
    """The expected cost of a program, as a function of the chances of answers.

    Chances are one array, the variables' answers one behind the other (`positions`).
    """

    variables: tuple[Variable, ...]
    positions: Mapping[QuestionPath, slice]
    size: int
    """The length of the array of chances."""
    levels: tuple[_Level, ...]
    count: int
    factors: NDArray[np.intp]
    """For each term the places of its conditions; padded with one that is 1."""
    costs: Array

    @classmethod
    def of(
        cls, work: Work, cost: Callable[[Term], float], *, over: Callable[[Term], bool] | None = None
    ) -> Expectation:
        """`cost` is that of a term's row; `over` says which terms count."""
        terms = [term for term in work.terms if over is None or over(term)]
        priced = [(term.conditions, term.sign * cost(term)) for term in terms]
        return cls.of_conditions(work.diagrams, work.variables.all, priced)

    @classmethod
    def of_conditions(
        cls,
        diagrams: Diagrams,
        variables: Sequence[Variable],
        priced: Sequence[tuple[Sequence[Diagram], float]],
    ) -> Expectation:
        """Of numbers that count where all their conditions hold, which hang on different variables."""
        positions: dict[QuestionPath, slice] = {}
        starts: list[int] = []
        size = 0
        for variable in variables:
            positions[variable.path] = slice(size, size + len(variable.answers))
            starts.append(size)
            size += len(variable.answers)
        order, levels = _levels(diagrams, {each for conditions, _ in priced for each in conditions}, starts)
        widest = max((len(conditions) for conditions, _ in priced), default=1) or 1
        factors = np.ones((len(priced), widest), dtype=np.intp)
        for number, (conditions, _) in enumerate(priced):
            for position, each in enumerate(conditions):
                factors[number, position] = order[each]
        costs = np.array([cost for _, cost in priced], dtype=np.float64)
        return cls(tuple(variables), positions, size, levels, len(order), factors, costs)

    def chances(self, given: Mapping[QuestionPath, Sequence[float]]) -> Array:
        """The array of chances: of a branch's own answer, or else those of the question; of `keep` without any, all."""
        return placed(self.variables, given)

    @cached_property
    def asked(self) -> frozenset[QuestionPath]:
        """The variables that it depends on."""
        places = np.zeros(self.size, dtype=bool)
        places[self._chances] = True
        return frozenset(path for path, place in self.positions.items() if places[place].any())

    def value(self, chances: Array) -> float:
        return float(self.chances_of_terms(chances) @ self.costs)

    def chances_of_terms(self, chances: Array) -> Array:
        """The chance of each term; of several arrays of chances, a column each, the chances in columns too."""
        return self._forward(chances)[self.factors].prod(axis=1)

    def value_and_gradient(self, chances: Array) -> tuple[float, Array]:
        """The expectation and its derivative by each chance."""
        values = self._forward(chances)
        factors = values[self.factors]
        products = factors.prod(axis=1)
        to_values = np.zeros_like(values)
        for position in range(factors.shape[1]):
            others = np.delete(factors, position, axis=1).prod(axis=1)
            to_values += np.bincount(self.factors[:, position], others * self.costs, minlength=len(values))
        for level in reversed(self.levels):
            if len(level.read):
                passed = to_values[level.parents] * chances[level.parent_chances]
                to_values[level.read] += np.add.reduceat(passed, level.parent_first)
        edges = to_values[self._parents] * values[self._children]
        gradient: Array = np.bincount(self._chances, edges, minlength=self.size).astype(np.float64)
        return float(products @ self.costs), gradient

    def _forward(self, chances: Array) -> Array:
        values = np.zeros((self.count, *chances.shape[1:]))
        values[1] = 1.0
        for level in self.levels:
            values[level.places] = np.add.reduceat(chances[level.chances] * values[level.children], level.first)
        return values

    @cached_property
    def _chances(self) -> NDArray[np.intp]:
        return np.concatenate([level.chances for level in self.levels] or [_NOTHING])

    @cached_property
    def _children(self) -> NDArray[np.intp]:
        return np.concatenate([level.children for level in self.levels] or [_NOTHING])

    @cached_property
    def _parents(self) -> NDArray[np.intp]:
        return np.concatenate([_repeated(level) for level in self.levels] or [_NOTHING])


def _levels(
    diagrams: Diagrams, roots: set[Diagram], starts: Sequence[int]
) -> tuple[dict[Diagram, int], tuple[_Level, ...]]:
    """The place of each diagram that is needed, and the levels in which their chances are found."""
    height: dict[Diagram, int] = {0: 0, 1: 0}
    waiting = list(roots)
    while waiting:
        each = waiting[-1]
        if each in height:
            waiting.pop()
            continue
        missing = [child for child in set(diagrams.children[each]) if child not in height]
        if missing:
            waiting.extend(missing)
            continue
        height[each] = 1 + max(height[child] for child in diagrams.children[each])
        waiting.pop()
    by_height: dict[int, list[Diagram]] = {}
    for each, level in height.items():
        if level:
            by_height.setdefault(level, []).append(each)
    order: dict[Diagram, int] = {0: 0, 1: 1}
    edges: list[tuple[slice, list[int], list[int], list[int]]] = []
    for level in sorted(by_height):
        start = len(order)
        places = slice(start, start + len(by_height[level]))
        chances: list[int] = []
        children: list[int] = []
        first: list[int] = []
        for each in by_height[level]:
            order[each] = len(order)
            first.append(len(children))
            for answer, child in enumerate(diagrams.children[each]):
                if child:  # what is false adds nothing
                    chances.append(starts[diagrams.variables[each]] + answer)
                    children.append(order[child])
        edges.append((places, chances, children, first))
    to: dict[int, list[tuple[int, int]]] = {}
    for places, chances, children, first in edges:
        for position, (start, stop) in enumerate(pairwise([*first, len(children)])):
            for edge in range(start, stop):
                to.setdefault(children[edge], []).append((places.start + position, chances[edge]))
    return order, tuple(_level(*each, to) for each in edges)


def _level(
    places: slice,
    chances: list[int],
    children: list[int],
    first: list[int],
    to: Mapping[int, Sequence[tuple[int, int]]],
) -> _Level:
    read = [place for place in range(places.start, places.stop) if place in to]
    above = [edge for place in read for edge in to[place]]
    counts = [len(to[place]) for place in read]
    return _Level(
        places,
        _indices(chances),
        _indices(children),
        _indices(first),
        _indices(read),
        _indices([parent for parent, _ in above]),
        _indices([chance for _, chance in above]),
        _indices([0, *np.cumsum(counts[:-1]).tolist()] if counts else []),
    )


def _repeated(level: _Level) -> NDArray[np.intp]:
    """For each edge the diagram that it comes from."""
    counts = np.diff(np.append(level.first, len(level.children)))
    return np.arange(level.places.start, level.places.stop, dtype=np.intp).repeat(counts)


def _indices(numbers: Sequence[int]) -> NDArray[np.intp]:
    return np.array(numbers, dtype=np.intp)


_NOTHING = np.zeros(0, dtype=np.intp)
