"""Objectives: a loss and expected costs put together as a text says, in numbers of any kind.

An objective is a small program over the loss and the costs in it. `evaluate` runs it with the arithmetic that it is
given: numpy's here, torch's in `archdsl.nets.supernet.objective`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Generic, TypeVar, assert_never

import numpy as np

from archdsl.cost.expectation import measures
from archdsl.cost.expectation.chances import given, placed
from archdsl.cost.expectation.diagrams import LIMIT
from archdsl.cost.expectation.program import Array, Expectation
from archdsl.cost.expectation.symbolic import Variable, Variables
from archdsl.cost.expectation.uniform import uniform
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses
from archdsl.cost.tables import Table, read_table
from archdsl.settings.costs import Counted, Measure, Measured, Uniform
from archdsl.settings.objectives import (
    Accuracy,
    Adaptive,
    CostTerm,
    Hinge,
    Log,
    LossTerm,
    Objective,
    Power,
    Product,
    Sum,
    Target,
    Value,
    costs_in,
    terms,
)
from archdsl.settings.printer import objective_text
from archdsl.space import Program, QuestionPath
from archdsl.space.node_path import parts
from archdsl.space.trace import Answers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arithmetic(Generic[T]):
    """What an objective is computed with. Outside of their domains `log` and `power` give NaN or an infinity."""

    constant: Callable[[float], T]
    add: Callable[[T, T], T]
    multiply: Callable[[T, T], T]
    divide: Callable[[T, T], T]
    power: Callable[[T, float], T]
    log: Callable[[T], T]
    magnitude: Callable[[T], T]
    """The absolute value."""
    positive: Callable[[T], T]
    """The number, 0 where it is below."""


def _quiet(function: Callable[..., np.float64]) -> Callable[..., np.float64]:
    """Without numpy's warnings: what is outside of a domain is NaN, as torch has it."""

    def quiet(*numbers: float) -> np.float64:
        with np.errstate(all="ignore"):
            return np.float64(function(*numbers))

    return quiet


NUMBERS: Final[Arithmetic[np.float64]] = Arithmetic(
    np.float64,
    _quiet(np.add),
    _quiet(np.multiply),
    _quiet(np.divide),
    _quiet(np.power),
    _quiet(np.log),
    _quiet(np.abs),
    lambda number: np.maximum(number, np.float64(0)),
)


def evaluate(
    objective: Objective,
    arithmetic: Arithmetic[T],
    leaf: Callable[[LossTerm | Accuracy | CostTerm], T],
    weights: Mapping[str, float],
) -> T:
    """The value of an objective; `weights` are those of its adaptive costs, by their texts."""

    def value(each: Objective) -> T:
        match each:
            case Value(number):
                return arithmetic.constant(number)
            case LossTerm() | Accuracy() | CostTerm():
                return leaf(each)
            case Log(of):
                return arithmetic.log(value(of))
            case Target(of, at):
                return arithmetic.magnitude(beyond(of, at))
            case Hinge(of, at):
                return arithmetic.positive(beyond(of, at))
            case Adaptive(of):
                return arithmetic.multiply(arithmetic.constant(weights[objective_text(each)]), leaf(of))
            case Sum(summands):
                found = arithmetic.constant(0)
                for sign, summand in summands:
                    found = arithmetic.add(found, signed(sign, value(summand)))
                return found
            case Product(factors):
                found = arithmetic.constant(1)
                for exponent, factor in factors:
                    joined = arithmetic.multiply if exponent > 0 else arithmetic.divide
                    found = joined(found, value(factor))
                return found
            case Power(base, exponent):
                return arithmetic.power(value(base), exponent)
            case _:
                assert_never(each)

    def signed(sign: int, number: T) -> T:
        return number if sign > 0 else arithmetic.multiply(arithmetic.constant(-1), number)

    def beyond(of: Objective, at: float) -> T:
        share = arithmetic.divide(value(of), arithmetic.constant(at))
        return arithmetic.add(share, arithmetic.constant(-1))

    return value(objective)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A cost at some chances of answers."""

    plain: float
    """In the unit of the cost."""
    value: float
    """As the objective has it: with `weighted`, times the sum of the weights."""
    gradient: Array
    """Of the value by each chance."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Chances of the answers of all variables, one behind the other."""

    values: Array
    asked: Array
    """1 for variables that have answers or weights, 0 for those that a genotype does not answer, as none asks them."""


@dataclass(frozen=True)
class PricedObjective:
    """An objective with what its costs are for one program."""

    objective: Objective
    program: Program
    variables: tuple[Variable, ...]
    costs: Mapping[CostTerm, Expectation]
    """In their units, without weights."""

    @classmethod
    def of(
        cls, objective: Objective, program: Program, tables: Mapping[Path, Table], answers: Answers | None = None
    ) -> PricedObjective:
        """`tables` by the paths of `TableFile`s (`tables_of`); `answers` are those of a genotype and earlier phases.

        A cost `over` parts of the network is the sum over the rows that stand in them: of cells that are pruned none
        (AutoRTNet, equations 4 and 7), of a chain every cell (GAS, equations 8 and 9). Where these equations have the
        costs of candidate ops alone, all that a part computes counts, its 1x1 convs and sums too: the papers' `Latency`
        is that of the network. Raises ValueError for a cost of which no network has any, MissingRows, TooLarge, and
        KeyError for a table that is not given.
        """
        pricing = _Pricing(program, tables, answers or {})
        found = {term.plain: pricing.expectation(term.cost.measure, term.over) for term in costs_in(objective)}
        for term, expectation in found.items():
            if not expectation.costs.any():
                raise ValueError(f"`{objective_text(term)}` is 0 for every network of `{program.name}`")
        return cls(objective, program, tuple(Variables(program, LIMIT).all), found)

    # Costs --------------------------------------------------------------------------------------

    @property
    def names(self) -> Mapping[CostTerm, str]:
        """Each cost as texts have it, without weights: `latency(over = {h1, h2})`."""
        return {term: objective_text(term) for term in self.costs}

    @cached_property
    def asked(self) -> frozenset[QuestionPath]:
        """The variables that its costs depend on."""
        return frozenset[QuestionPath]().union(*(each.asked for each in self.costs.values()))

    def chances(self, answers: Answers) -> Chances:
        """Those of a genotype; what it does not answer is even."""
        asked = [each.path in answers or each.path.question in answers for each in self.variables]
        return Chances(placed(self.variables, given(self.variables, answers)), self.spread(asked))

    def costs_of(self, answers: Answers) -> Mapping[CostTerm, float]:
        """What each cost is for a genotype: the prediction of its network."""
        chances = self.chances(answers)
        return {term: expectation.value(self._seen(term, chances)) for term, expectation in self.costs.items()}

    def evaluated(self, chances: Chances) -> Mapping[CostTerm, Evaluated]:
        """Every cost in the objective, with its weights (FasterSeg, equation 3)."""
        found: dict[CostTerm, Evaluated] = {}
        plain = {term: each.value_and_gradient(self._seen(term, chances)) for term, each in self.costs.items()}
        for term in dict.fromkeys(costs_in(self.objective)):
            value, gradient = plain[term.plain]
            if not term.weights:
                found[term] = Evaluated(value, value, gradient)
                continue
            by_kind = dict(term.weights)
            kinds = (self.program.questions[each.path.question].kind for each in self.variables)
            scale = self.spread([by_kind.get(kind, 0.0) for kind in kinds])
            found[term] = Evaluated(value, value * sum(by_kind.values()), gradient * scale)
        return found

    def spread(self, numbers: Sequence[float]) -> Array:
        """One number for each variable, for each of its answers."""
        return np.repeat(np.array(numbers, dtype=np.float64), [len(each.answers) for each in self.variables])

    def _seen(self, term: CostTerm, chances: Chances) -> Array:
        """Ops of edges that a genotype leaves out cost nothing where each op has a cost by itself."""
        return chances.values * chances.asked if isinstance(term.cost.measure, Uniform) else chances.values

    def value(
        self,
        answers: Answers,
        weights: Mapping[str, float] | None = None,
        *,
        loss: float = 0.0,
        accuracy: float = 0.0,
    ) -> float:
        """The objective of a genotype, whose loss or accuracy (0 to 1) is known: also that of `pick`."""
        costs = self.evaluated(self.chances(answers))

        def leaf(term: LossTerm | Accuracy | CostTerm) -> np.float64:
            match term:
                case LossTerm():
                    return np.float64(loss)
                case Accuracy():
                    return np.float64(accuracy)
                case CostTerm():
                    return np.float64(costs[term].value)

        return float(evaluate(self.objective, NUMBERS, leaf, self.weights if weights is None else weights))

    # Adaptive weights ---------------------------------------------------------------------------

    @property
    def weights(self) -> Mapping[str, float]:
        """The weights of adaptive costs as a search begins."""
        return {objective_text(each): 1.0 for each in terms(self.objective) if isinstance(each, Adaptive)}

    def adapted(self, weights: Mapping[str, float], answers: Answers) -> Mapping[str, float]:
        """The weights after an epoch at whose end the derived network has these answers."""
        costs = self.costs_of(answers)
        rules = {objective_text(each): each for each in terms(self.objective) if isinstance(each, Adaptive)}
        return {name: adapted(weights[name], costs[rule.of.plain], rule) for name, rule in rules.items()}


def adapted(weight: float, cost: float, rule: Adaptive) -> float:
    """The next weight of a cost, by what the derived network costs (FasterSeg, published code)."""
    if cost > rule.most:
        return weight * rule.factor
    return weight / rule.factor if cost < rule.least else weight


def tables_of(objectives: Iterable[Objective]) -> Mapping[Path, Table]:
    """The tables that objectives name. Raises TableUnreadable, OSError, and ValueError for a text without a place."""
    found: dict[Path, Table] = {}
    for objective in objectives:
        for term in costs_in(objective):
            if (file := term.cost.table) is None:
                continue
            if file.path is None:
                raise ValueError(f"`{file.written}` is relative to a text without a place")
            if file.path not in found:
                found[file.path] = read_table(file.path)
    return found


class _Pricing:
    """Costs of one program, whose networks are taken apart once for costs of a kind."""

    def __init__(self, program: Program, tables: Mapping[Path, Table], answers: Answers) -> None:
        self.program = program
        self.tables = tables
        self.answers = answers
        self._works: dict[tuple[bool, GraphPasses], Work] = {}

    def expectation(self, measure: Measure, over: tuple[str, ...]) -> Expectation:
        match measure:
            case Measured() | Counted():
                work, cost = self._priced(measure)
                return Expectation.of(work, cost, over=self._within(over))
            case Uniform(of, relative_to):
                return uniform(self.expectation(of, over), self.program, relative_to, self.answers, over)
            case _:
                assert_never(measure)

    def _priced(self, measure: Measured | Counted) -> tuple[Work, Callable[[Term], float]]:
        match measure:
            case Measured(file, unit):
                if file.path is None:
                    raise KeyError(file.written)
                table = self.tables[file.path]
                work = self._work(ops=True, passes=table.passes)
                seconds = measures.seconds(table, work)
                return work, lambda term: seconds(term) / unit.seconds
            case Counted("macs"):
                return self._work(ops=False), measures.macs
            case Counted():
                return self._work(ops=False), measures.params

    def _work(self, *, ops: bool, passes: GraphPasses = AS_WRITTEN) -> Work:
        key = (ops, passes)
        if key not in self._works:
            self._works[key] = Work.of(self.program, ops=ops, passes=passes)
        return self._works[key]

    def _within(self, over: tuple[str, ...]) -> Callable[[Term], bool] | None:
        if not over:
            return None
        inside = [not set(over).isdisjoint(parts(node.frames)) for node in self.program.nodes]
        return lambda term: inside[term.node]
