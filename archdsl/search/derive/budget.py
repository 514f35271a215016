"""The most probable genotype whose cost meets bounds, exactly.

The log-probability of a genotype is the sum over the questions that it is asked; what it costs is a sum of terms under
conditions (`archdsl.cost.expectation.work`). Both are sums of decision diagrams, from which questions are eliminated
one by one (bucket elimination; Dechter, 1999): of the log-probability, of each cost, and of both weighed against each
other by a multiplier (Lagrange). What the eliminations leave says, for answers to some questions, how probable and how
costly the rest can be at best. So answers are taken in the reverse order, and partial genotypes are left out that no
rest can bring below the bounds, that cannot be more probable than one that was found, or that are no better in anything
than another one after which the same rest follows (dynamic programming with Pareto fronts).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, isclose, isfinite
from operator import add, ge
from typing import Final, TypeAlias

from archdsl.cost.expectation.diagrams import FALSE, TRUE, Diagram, Diagrams, TooLarge
from archdsl.cost.expectation.symbolic import Variables
from archdsl.cost.expectation.work import Term, Work
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.dependencies import Dependencies, Unforeseen
from archdsl.space.trace import Answers, trace

LIMIT: Final = 200_000
"""More decision diagrams, or partial genotypes, are not told apart."""
_FIRST: Final = 100
"""So many partial genotypes are followed at first, to find one that others have to be better than."""
_ROUNDS: Final = 20
_TOLERANCE: Final = 1e-9
"""Relative: sums in another order differ by rounding."""


@dataclass(frozen=True, slots=True)
class Bound:
    """`cost <= most`, or for `at_least` `cost >= most`; `strict` without equality."""

    work: Work
    cost: Callable[[Term], float]
    limit: float
    at_least: bool = False
    strict: bool = False

    @property
    def sign(self) -> int:
        """By which costs are multiplied so that more is better."""
        return 1 if self.at_least else -1


@dataclass(frozen=True, slots=True)
class Best:
    """The most probable genotype within the bounds."""

    answers: Answers
    log_probability: float


class OutOfReach(Exception):
    """No genotype meets all bounds."""


def log_probability(chances: Chances, answers: Answers) -> float:
    """The sum of the logarithms over all that a genotype answers and that has logits. Raises NotDerived."""
    return sum(_chance(chances, path, answer) for path, answer in answers.items())


def most_probable(chances: Chances, bounds: Sequence[Bound], diagrams: Diagrams) -> Best:
    """Exact. `diagrams` are those of the works.

    Raises OutOfReach, NotDerived where logits are missing, TooLarge where answers hang together in too many ways.
    """
    return _Search(chances, bounds, diagrams).run()


def _chance(chances: Chances, path: QuestionPath, answer: Answer) -> float:
    """Of an answer to a question that has logits; a KEEP question may have some, which weigh its inputs."""
    if not chances.has(path):
        return 0.0
    found = chances.of(path)
    return sum(found[each] for each in answer)


@dataclass(frozen=True, slots=True)
class _Label:
    """A partial genotype."""

    values: tuple[float, ...]
    """For each function its greatest value that is left."""
    context: tuple[int, ...]
    """The answers to the questions that the rest hangs on."""
    before: _Label | None = None
    answer: int = 0


@dataclass(frozen=True, slots=True)
class _Eliminated:
    """What a function leaves when its questions are eliminated."""

    greatest: float
    joined: Mapping[int, Diagram]
    """By variable: what hangs on it, and on variables that are eliminated later, at best."""


Factors: TypeAlias = "list[Diagram]"


@dataclass(slots=True)
class _Search:
    chances: Chances
    bounds: Sequence[Bound]
    diagrams: Diagrams
    variables: Variables = field(init=False)
    program: Program = field(init=False)
    order: tuple[int, ...] = field(init=False)
    """Variables as they are eliminated."""
    allowed: Mapping[int, tuple[int, ...]] = field(init=False)
    ordered: Factors = field(init=False)
    """Branches end in their order: minus infinity where they do not."""

    def __post_init__(self) -> None:
        self.program = self.chances.plan.program
        self.variables = Variables(self.program, LIMIT)
        self.allowed = {number: self._allowed(number) for number in range(len(self.variables.all))}

    def run(self) -> Best:
        chance, costs = self._log_probabilities(), [self._costs(each) for each in self.bounds]
        self.ordered = self._order_of_branches()
        factors = [*chance, *(factor for each in costs for factor in each), *self.ordered]
        self.order = _order([self._support(each) for each in factors])
        likeliest = self._eliminate([*chance, *self.ordered])
        cheapest = [self._eliminate([*each, *self.ordered]) for each in costs]
        limits = [each.sign * each.limit for each in self.bounds]
        if any(_below(found.greatest, limit) for found, limit in zip(cheapest, limits, strict=True)):
            raise OutOfReach
        multipliers = self._multipliers(chance, costs, cheapest, limits)
        weighed = self._eliminate([*chance, *self._weighed(costs, multipliers), *self.ordered])
        functions = [likeliest, *cheapest, weighed]
        paid = sum(weight * limit for weight, limit in zip(multipliers, limits, strict=True))
        first = self._labels(functions, limits, paid, -inf, most=_FIRST)
        found = self._labels(functions, limits, paid, -inf if first is None else first.values[0]) or first
        if found is None:
            raise OutOfReach
        return Best(self._answers(found), found.values[0])

    # Functions ----------------------------------------------------------------------------------

    def _log_probabilities(self) -> Factors:
        """Of each question, where it is asked."""
        found: Factors = []
        zero = self.diagrams.leaf(0.0)
        for path, when in self._asked().items():
            question = self.program.questions[path.question]
            number = self.variables.number[path]
            if path not in self.chances.plan.answers and not self.chances.has(path):
                if question.kind not in (QuestionKind.KEEP, QuestionKind.BRANCH):
                    raise self.chances.missing([path])
                continue
            answers = self.variables.all[number].answers
            chances = [
                _chance(self.chances, path, answer) if position in self.allowed[number] else 0.0
                for position, answer in enumerate(answers)
            ]
            own = self.diagrams.ask(number, [self.diagrams.leaf(each) for each in chances])
            found.append(self.diagrams.choose(when, own, zero))
        return found

    def _asked(self) -> Mapping[QuestionPath, Diagram]:
        """When each question is asked."""
        try:
            dependencies = Dependencies.of(self.program)
        except Unforeseen as error:
            raise NotDerived(f"which questions are asked cannot be told: {error}") from None
        reached = dict.fromkeys(dependencies.start.forks, TRUE)
        asked = dict.fromkeys(dependencies.start.asks, TRUE)
        for fork in reversed(dependencies.in_order()):
            when = reached.get(fork, FALSE)
            path = dependencies.asking[fork]
            asked[path] = self.diagrams.either(asked.get(path, FALSE), when)
            number = self.variables.number[path]
            answers = self.variables.all[number].answers
            for answer, need in dependencies.forks[fork].items():
                given = self.diagrams.answered(number, answers.index(answer), len(answers))
                both = self.diagrams.conjunction(when, given)
                for other in need.forks:
                    reached[other] = self.diagrams.either(reached.get(other, FALSE), both)
                for name in need.asks:
                    asked[name] = self.diagrams.either(asked.get(name, FALSE), both)
        return asked

    def _costs(self, bound: Bound) -> Factors:
        """What terms cost, those that hang on the same questions as one function; more is better."""
        weights: dict[Diagram, float] = {}
        for term in bound.work.terms:
            when = self.diagrams.conjunction(*term.conditions)
            weights[when] = weights.get(when, 0.0) + bound.sign * term.sign * bound.cost(term)
        alike: dict[frozenset[int], Factors] = {}
        for when, weight in weights.items():
            if weight:
                paid = self.diagrams.choose(when, self.diagrams.leaf(weight), self.diagrams.leaf(0.0))
                alike.setdefault(self._support(paid), []).append(paid)
        return [self._sum(each) for each in alike.values()]

    def _order_of_branches(self) -> Factors:
        """Branches end in their order: minus infinity where they do not."""
        found: Factors = []
        for constraint in self.program.constraints:
            ends = [self.program.branches[branch] for branch in constraint.branches]
            for (one, first), (other, second) in pairwise(zip(constraint.branches, ends, strict=True)):
                numbers = [self._places(branch.end, end.places) for branch, end in ((one, first), (other, second))]
                found.append(self.diagrams.apply("branches in order", _in_order, *numbers))
        return found

    def _places(self, end: QuestionPath, places: Mapping[str, Hashable]) -> Diagram:
        leaves = {label: self.diagrams.leaf(place) for label, place in places.items()}
        if end not in self.variables.number:
            (only,) = leaves.values()
            return only
        number = self.variables.number[end]
        return self.diagrams.ask(number, [leaves[answer] for (answer,) in self.variables.all[number].answers])

    def _weighed(self, costs: Sequence[Factors], multipliers: Sequence[float]) -> Factors:
        return [
            self.diagrams.apply(("times", weight), weight.__mul__, each)
            for factors, weight in zip(costs, multipliers, strict=True)
            if weight
            for each in factors
        ]

    def _sum(self, factors: Iterable[Diagram]) -> Diagram:
        waiting = list(factors)
        while len(waiting) > 1:
            one, other, *rest = waiting
            waiting = [*rest, self.diagrams.apply("plus", add, one, other)]
        return waiting[0] if waiting else self.diagrams.leaf(0.0)

    def _allowed(self, number: int) -> tuple[int, ...]:
        """The answers that a question may have, by their positions."""
        variable = self.variables.all[number]
        answers = variable.answers[: len(variable.answers) - variable.keeps]
        plan = self.chances.plan
        given = plan.answers.get(variable.path) or plan.answers.get(variable.path.question)
        learned = plan.learned.get(variable.path.question)
        if given is not None:
            return tuple(position for position, answer in enumerate(answers) if answer == given)
        if learned is not None:
            return tuple(position for position, answer in enumerate(answers) if set(answer) <= set(learned.answers))
        return tuple(range(len(answers)))

    # Eliminations -------------------------------------------------------------------------------

    def _eliminate(self, factors: Factors) -> _Eliminated:
        """The greatest sum over all genotypes."""
        left = list(factors)
        joined: dict[int, Diagram] = {}
        for variable in self.order:
            mine = [each for each in left if variable in self._support(each)]
            left = [each for each in left if variable not in self._support(each)]
            joined[variable] = self._sum(mine)
            left.append(self._without(joined[variable], variable))
        return _Eliminated(sum(self._value(each, {}) for each in left), joined)

    def _without(self, diagram: Diagram, variable: int) -> Diagram:
        options = [self.diagrams.restrict(diagram, variable, answer) for answer in self.allowed[variable]]
        while len(options) > 1:
            one, other, *rest = options
            options = [self.diagrams.apply("greatest", max, one, other), *rest]
        return options[0]

    def _multipliers(
        self, chance: Factors, costs: Sequence[Factors], cheapest: Sequence[_Eliminated], limits: Sequence[float]
    ) -> list[float]:
        """By what each cost is multiplied so that the bound on the log-probability is low, one cost after the other.

        Any are right; good ones leave fewer partial genotypes. Between a genotype that is too costly and one that is
        not, the multiplier is taken at which both are as good, until no other one is better there.
        """
        found = [0.0] * len(costs)
        for number, (own, limit) in enumerate(zip(costs, limits, strict=True)):
            base = [*chance, *self._weighed(costs, found)]
            over, within = self._point(self._eliminate([*base, *self.ordered]), base, own, limit), _Point(-inf, inf)
            if over.slack < 0:
                within = self._point(cheapest[number], base, own, limit)
            for _ in range(_ROUNDS):
                if over.slack >= 0 or within.slack <= over.slack or not isfinite(within.value):
                    break
                found[number] = max((over.value - within.value) / (within.slack - over.slack), 0.0)
                between = self._eliminate([*base, *self._weighed([own], found[number : number + 1]), *self.ordered])
                point = self._point(between, base, own, limit)
                if _equal(point.at(found[number]), within.at(found[number])):
                    break
                over, within = (over, point) if point.slack >= 0 else (point, within)
        return found

    def _point(self, eliminated: _Eliminated, base: Factors, own: Factors, limit: float) -> _Point:
        chosen = self._chosen(eliminated)
        return _Point(self._total(base, chosen), self._total(own, chosen) - limit)

    def _chosen(self, eliminated: _Eliminated) -> Mapping[int, int]:
        """The answers that are best, the question that was eliminated last first."""
        chosen: dict[int, int] = {number: positions[0] for number, positions in self.allowed.items()}
        for variable in reversed(self.order):
            joined = eliminated.joined[variable]
            chosen[variable] = max(
                self.allowed[variable], key=lambda answer: self._value(joined, {**chosen, variable: answer})
            )
        return chosen

    def _total(self, factors: Factors, chosen: Mapping[int, int]) -> float:
        return sum(self._value(each, chosen) for each in factors)

    # Partial genotypes --------------------------------------------------------------------------

    def _labels(
        self, functions: Sequence[_Eliminated], limits: Sequence[float], paid: float, known: float, most: int = 0
    ) -> _Label | None:
        """The most probable genotype within the limits that is more probable than `known`; None where there is none.

        With `most` only so many partial ones are followed, those with the best bounds.
        """
        start = _Label(tuple(each.greatest for each in functions), ())
        labels = [] if self._is_lost(start, limits, paid, known) else [start]
        contexts = self._contexts(functions)
        names: tuple[int, ...] = ()
        for variable in reversed(self.order):
            kept = contexts[variable]
            fronts: dict[tuple[int, ...], list[_Label]] = {}
            for label in labels:
                given = dict(zip(names, label.context, strict=True))
                for following in self._following(label, variable, given, functions, kept):
                    if not self._is_lost(following, limits, paid, known):
                        fronts.setdefault(following.context, []).append(following)
            labels = [each for front in fronts.values() for each in _undominated(front)]
            names = kept
            if most:
                labels = sorted(labels, key=lambda label: -_optimism(label, paid))[:most]
            elif len(labels) > LIMIT:
                raise TooLarge
        return max(labels, key=lambda label: label.values[0], default=None)

    def _following(
        self,
        label: _Label,
        variable: int,
        given: Mapping[int, int],
        functions: Sequence[_Eliminated],
        kept: tuple[int, ...],
    ) -> Iterable[_Label]:
        """A partial genotype with each answer to one question more."""
        rows = [
            [self._value(each.joined[variable], {**given, variable: answer}) for answer in self.allowed[variable]]
            for each in functions
        ]
        best = [max(row) for row in rows]
        if not all(map(isfinite, best)):
            return
        for position, answer in enumerate(self.allowed[variable]):
            values = tuple(
                value - greatest + row[position] for value, greatest, row in zip(label.values, best, rows, strict=True)
            )
            if all(map(isfinite, values)):
                context = tuple(answer if each == variable else given[each] for each in kept)
                yield _Label(values, context, label, answer)

    def _is_lost(self, label: _Label, limits: Sequence[float], paid: float, known: float) -> bool:
        """Whether nothing that follows is within the limits, or more probable than what is known."""
        costs = label.values[1:-1]
        return (
            any(
                _below(cost, limit) or (bound.strict and cost <= limit)
                for cost, limit, bound in zip(costs, limits, self.bounds, strict=True)
            )
            or _optimism(label, paid) <= known + _TOLERANCE
        )

    def _contexts(self, functions: Sequence[_Eliminated]) -> Mapping[int, tuple[int, ...]]:
        """For each variable those of it and the ones eliminated later that what is eliminated earlier hangs on."""
        found: dict[int, tuple[int, ...]] = {}
        needed: frozenset[int] = frozenset()
        before: set[int] = set()
        for variable in self.order:
            found[variable] = tuple(sorted(needed - before))
            needed = needed.union(*(self._support(each.joined[variable]) for each in functions))
            before.add(variable)
        return found

    def _answers(self, label: _Label) -> Answers:
        given: dict[QuestionPath, Answer] = {
            each.path: each.answers[self.allowed[number][0]] for number, each in enumerate(self.variables.all)
        }
        for variable in self.order:
            each = self.variables.all[variable]
            given[each.path] = each.answers[label.answer]
            assert label.before is not None
            label = label.before
        return {path: given[path] for path in trace(self.program, given).asked}

    def _support(self, diagram: Diagram) -> frozenset[int]:
        return self.diagrams.support(diagram)

    def _value(self, diagram: Diagram, chosen: Mapping[int, int]) -> float:
        found = self.diagrams.values[self.diagrams.at(diagram, chosen)]
        assert isinstance(found, float)
        return found


@dataclass(frozen=True, slots=True)
class _Point:
    """A genotype: how probable, and by how much it is within a limit."""

    value: float
    slack: float

    def at(self, multiplier: float) -> float:
        return self.value + multiplier * self.slack


def _optimism(label: _Label, paid: float) -> float:
    """More probable than that nothing is that follows and is within the limits."""
    return min(label.values[0], label.values[-1] - paid)


def _undominated(front: Sequence[_Label]) -> list[_Label]:
    """Those of one context that no other one is at least as good as in probability and in each cost."""
    found: list[_Label] = []
    for label in sorted(front, key=lambda label: label.values[:-1], reverse=True):
        mine = label.values[1:-1]
        if not any(all(map(ge, other.values[1:-1], mine)) for other in found):
            found.append(label)
    return found


def _order(supports: Sequence[frozenset[int]]) -> tuple[int, ...]:
    """Always the question that hangs together with the fewest others."""
    left = [each for each in supports if each]
    found: list[int] = []
    while left:
        together: dict[int, frozenset[int]] = {}
        for each in left:
            for variable in each:
                together[variable] = together.get(variable, frozenset()) | each
        following = min(together, key=lambda variable: (len(together[variable]), -variable))
        found.append(following)
        joined = together[following] - {following}
        left = [each for each in left if following not in each]
        left += [joined] if joined else []
    return tuple(found)


def _below(value: float, limit: float) -> bool:
    return value < limit and not _equal(value, limit)


def _equal(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-15)


def _in_order(one: Hashable, other: Hashable) -> float:
    assert isinstance(one, tuple) and isinstance(other, tuple)
    return 0.0 if one < other else -inf
