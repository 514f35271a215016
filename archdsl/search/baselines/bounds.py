"""What a network costs, and bounds on it: every candidate of a baseline meets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Final

from archdsl.cost import Figures, figures
from archdsl.cost.estimate import estimate
from archdsl.cost.extremes import Extreme
from archdsl.cost.tables import Table
from archdsl.ir import ClosedGraph
from archdsl.pipeline.ranges import Figure, NoRange, Range, Ranges
from archdsl.search.baselines.errors import NoCandidate
from archdsl.search.derive.where import LATENCY, Where
from archdsl.space import Program

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class Costs:
    """What a network costs, as predicted."""

    figures: Figures
    seconds: float | None
    """By a cost table; None without one."""

    def of(self, cost: str) -> float:
        """The cost that a bound names."""
        if cost != LATENCY:
            return float(getattr(self.figures, cost))
        assert self.seconds is not None, "a bound on latency is refused where there is no table"
        return self.seconds


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds that all hold, and the table by which latencies are predicted."""

    wheres: Sequence[Where] = ()
    table: Table | None = None

    def __post_init__(self) -> None:
        """Raises NoCandidate."""
        timed = next((where for where in self.wheres if where.cost == LATENCY), None)
        if timed is not None and self.table is None:
            raise NoCandidate(f"`{timed}` needs a cost table: give it by `--cost`")

    def __str__(self) -> str:
        return ", ".join(map(str, self.wheres))

    def costs(self, graph: ClosedGraph) -> Costs:
        """Raises MissingRows."""
        return Costs(figures(graph), None if self.table is None else estimate(graph, self.table).seconds)

    def hold(self, costs: Costs) -> bool:
        return all(meets(where, costs.of(where.cost)) for where in self.wheres)

    def check_reachable(self, program: Program) -> None:
        """Raises NoCandidate where no genotype meets one of the bounds; MissingRows."""
        ranges = Ranges(program)
        for where in self.wheres:
            try:
                found = ranges.of(Figure(where.cost)) if where.cost != LATENCY else self._latencies(ranges)
            except NoRange:
                continue  # then it is seen in samples
            if not any(meets(where, found.end(end)) for end in Extreme):
                least, greatest = (spelled(where.cost, found.end(end)) for end in Extreme)
                raise NoCandidate(
                    f"no genotype meets `{where}`: genotypes of `{program.name}` have {where.cost} from {least} to "
                    f"{greatest}"
                )

    def _latencies(self, ranges: Ranges) -> Range:
        assert self.table is not None
        return ranges.of_seconds(self.table)

    def spans(self, seen: Sequence[Costs]) -> str:
        """From where to where the costs of some networks go: `macs from 1 to 3, latency from 7.1 ms to 9.0 ms`."""
        named = dict.fromkeys(where.cost for where in self.wheres)
        found = {cost: [each.of(cost) for each in seen] for cost in named}
        return ", ".join(
            f"{cost} from {spelled(cost, min(numbers))} to {spelled(cost, max(numbers))}"
            for cost, numbers in found.items()
        )


def spelled(cost: str, value: float) -> str:
    """`7.123 ms`, `12,345`."""
    return f"{1e3 * value:,.3f} ms" if cost == LATENCY else f"{value:,.0f}"


def meets(where: Where, number: float) -> bool:
    """Whether a cost meets a bound; a latency in seconds."""
    return _COMPARE[where.operator](number, where.limit)
