"""The objective of a phase while it is searched: its loss and the expected costs of decisions, differentiable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from archdsl.cost.objective import Arithmetic, Chances, Evaluated, PricedObjective, evaluate
from archdsl.cost.tables import Table
from archdsl.nets.supernet.decisions import Decisions
from archdsl.nets.supernet.expected_cost import DecidedChances, decided_chances
from archdsl.nets.supernet.supernet import Supernet
from archdsl.settings.objectives import Accuracy, CostTerm, LossTerm
from archdsl.settings.searches import Phase
from archdsl.space.relax import open_questions
from archdsl.space.trace import Answers

TENSORS: Final[Arithmetic[Tensor]] = Arithmetic(
    lambda number: torch.tensor(number, dtype=torch.float64),
    torch.add,
    torch.mul,
    torch.div,
    torch.pow,
    torch.log,
    torch.abs,
    torch.relu,
)


@dataclass(frozen=True, slots=True)
class ObjectiveValue:
    """An objective at one step."""

    value: Tensor
    """What is made small: a scalar in double precision, differentiable by the loss and the weights of decisions."""
    terms: Mapping[str, float | Tensor]
    """For a journal: `loss`, detached, and each cost in its unit as a text has it, `latency(over = {trunk})`."""


class SearchObjective:
    """What a phase makes small, for the networks of a supernet."""

    def __init__(self, supernet: Supernet, priced: PricedObjective, answers: Answers | None = None) -> None:
        self.supernet = supernet
        self.priced = priced
        met = {path.question for path in open_questions(supernet.program, answers or {}, searching=True)}
        self._asked = frozenset(path for path in priced.asked if path.question in met)
        """What decisions have to decide: not what stands on an input that earlier phases dropped."""

    @classmethod
    def of(
        cls, supernet: Supernet, phase: Phase, tables: Mapping[Path, Table], answers: Answers | None = None
    ) -> SearchObjective:
        """The objective of a phase of a search, whose program is that of the supernet.

        `tables` are those that `archdsl.cost.objective.tables_of((phase.objective,))` reads, `answers` those of a
        genotype and of earlier phases. Raises what `PricedObjective.of` raises.
        """
        return cls(supernet, PricedObjective.of(phase.objective, supernet.program, tables, answers), answers)

    def __call__(
        self, loss: Tensor, decisions: Decisions, weights: Mapping[str, float] | None = None
    ) -> ObjectiveValue:
        """At a loss, a scalar on any device, and the decisions of a step.

        `weights` are those of adaptive costs by their texts, as `priced.weights` has them at first and
        `priced.adapted` after an epoch. Costs are found on the CPU.
        """
        costs = self._costs(decisions)

        def leaf(term: LossTerm | Accuracy | CostTerm) -> Tensor:
            match term:
                case LossTerm():
                    return loss
                case Accuracy():
                    raise ValueError("a supernet has no accuracy: an objective is about a loss")
                case CostTerm():
                    return costs[term][1]

        found = evaluate(self.priced.objective, TENSORS, leaf, self.priced.weights if weights is None else weights)
        plain = {self.priced.names[term.plain]: evaluated.plain for term, (evaluated, _) in costs.items()}
        return ObjectiveValue(found.to(torch.float64), {"loss": loss.detach(), **plain})

    def chances(self, decisions: Decisions) -> DecidedChances:
        """The chances of answers, in the order of the variables of its costs."""
        priced, supernet = self.priced, self.supernet
        return decided_chances(priced.variables, self._asked, supernet.program, decisions, supernet.answers)

    def _costs(self, decisions: Decisions) -> Mapping[CostTerm, tuple[Evaluated, Tensor]]:
        if not self.priced.costs:
            return {}
        decided = self.chances(decisions)
        evaluated = self.priced.evaluated(Chances(decided.values, self.priced.spread(decided.asked)))
        return {term: (each, decided.with_gradient(each.value, each.gradient)) for term, each in evaluated.items()}
