"""Bounds as a command line gives them: `latency < 8ms`, `macs <= 20G`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.cost.expectation.diagrams import Diagrams, TooLarge
from archdsl.cost.expectation.measures import activations, macs, params, seconds
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.extremes import Extreme, extremum
from archdsl.cost.tables import Table
from archdsl.pipeline.sample import BadConstraint
from archdsl.pipeline.sample import Where as FigureWhere
from archdsl.search.derive.budget import LIMIT, Bound, OutOfReach, most_probable
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.settings.costs import Unit
from archdsl.space import Program
from archdsl.space.trace import Answers

LATENCY: Final = "latency"
_LATENCY = re.compile(r"\s*latency\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s)\s*")


@dataclass(frozen=True, slots=True)
class Where:
    """A bound on what a network costs."""

    cost: str
    """`latency`, or a figure."""
    operator: str
    limit: float
    """Of a latency in seconds."""
    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> Where:
        """Raises NotDerived."""
        if match := _LATENCY.fullmatch(text):
            return cls(LATENCY, match[1], float(match[2]) * Unit(match[3]).seconds, text.strip())
        try:
            found = FigureWhere.parse(text)
        except BadConstraint:
            raise NotDerived(
                f"`{text}` is no bound: write a cost (latency, params, params_training, macs, activations), one of "
                "< <= > >=, and a number such as 8ms or 20G"
            ) from None
        return cls(found.figure, found.operator, found.bound, found.text)

    @property
    def at_least(self) -> bool:
        return self.operator.startswith(">")


def most_probable_where(chances: Chances, wheres: Sequence[Where], table: Table | None) -> Answers:
    """The answers of the most probable genotype that meets all bounds.

    Raises NotDerived where none does, where answers hang together in too many ways, or a latency has no table;
    MissingRows.
    """
    program = chances.plan.program
    diagrams = Diagrams(LIMIT)
    bounds: list[Bound] = []
    try:
        bounds = [_bound(program, where, table, diagrams) for where in wheres]
        return most_probable(chances, bounds, diagrams).answers
    except OutOfReach:
        raise NotDerived(_out_of_reach(bounds, wheres)) from None
    except TooLarge:
        raise NotDerived(
            f"answers of `{program.name}` hang together in more ways than {LIMIT:,} decision diagrams tell apart: "
            "derive without `--where`, or answer some questions in a genotype and name that"
        ) from None


def _bound(program: Program, where: Where, table: Table | None, diagrams: Diagrams) -> Bound:
    strict = "=" not in where.operator
    if where.cost == LATENCY:
        if table is None:
            raise NotDerived(f"`{where}` needs a cost table: give it by `--cost`")
        work = Work.of(program, passes=table.passes, diagrams=diagrams)
        return Bound(work, seconds(table, work), where.limit, at_least=where.at_least, strict=strict)
    work = Work.of(program, ops=False, auxiliary=where.cost == "params_training", diagrams=diagrams)
    return Bound(work, _measure(where.cost), where.limit, at_least=where.at_least, strict=strict)


def _measure(cost: str) -> Callable[[Term], float]:
    return {"macs": macs, "activations": activations}.get(cost, params)


def _out_of_reach(bounds: Sequence[Bound], wheres: Sequence[Where]) -> str:
    """What genotypes cost."""
    spans: dict[str, str] = {}
    for bound, where in zip(bounds, wheres, strict=True):
        least, greatest = (extremum(bound.work, bound.cost, extreme).value for extreme in Extreme)
        spans[where.cost] = f"{where.cost} from {_spelled(where, least)} to {_spelled(where, greatest)}"
    listed = ", ".join(f"`{where}`" for where in wheres)
    which = "together " if len(wheres) > 1 else ""
    return f"no genotype meets {which}{listed}: genotypes of the space have {', '.join(spans.values())}"


def _spelled(where: Where, value: float) -> str:
    return f"{1e3 * value:,.3f} ms" if where.cost == LATENCY else f"{value:,.0f}"
