"""What a sweep found: by point over its seeds, and the front of all members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev

from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.folder import State, SweepFolder
from archdsl.search.sweep.grid import Member, Point
from archdsl.search.sweep.results import Result


class Cost(StrEnum):
    """What accuracy is compared with."""

    LATENCY = "latency"
    MACS = "macs"
    PARAMS = "params"

    def of(self, result: Result) -> float:
        """Milliseconds, multiply-adds, parameters. Raises NotSwept for a latency that is not known."""
        match self:
            case Cost.MACS:
                return result.macs
            case Cost.PARAMS:
                return result.params
            case Cost.LATENCY:
                if result.latency_ms is None:
                    raise NotSwept("the sweep has no cost table: compare by `--against macs`")
                return result.latency_ms


@dataclass(frozen=True, slots=True)
class Ended:
    """A member with a result."""

    member: Member
    result: Result


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean and the sample standard deviation, which one number alone has none of."""

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        return cls(fmean(numbers), stdev(numbers) if len(numbers) > 1 else None)


@dataclass(frozen=True, slots=True)
class Summary:
    """A sweep as it stands."""

    states: tuple[tuple[Member, State], ...]
    ended: tuple[Ended, ...]
    against: Cost

    @classmethod
    def of(cls, folder: SweepFolder, against: Cost | None = None) -> Summary:
        """Against latency where there is a cost table, else multiply-adds. Raises NotSwept."""
        chosen = against or (Cost.MACS if folder.plan.cost is None else Cost.LATENCY)
        states = tuple((member, folder.state(member)) for member in folder.plan.members)
        results = ((member, folder.result(member)) for member, state in states if state is State.DONE)
        ended = tuple(Ended(member, result) for member, result in results if result is not None)
        for each in ended:
            chosen.of(each.result)
        return cls(states, ended, chosen)

    def count(self, state: State) -> int:
        return sum(each is state for _, each in self.states)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(dict.fromkeys(member.point for member, _ in self.states))

    def at(self, point: Point) -> tuple[Ended, ...]:
        return tuple(each for each in self.ended if each.member.point == point)

    def spread(self, point: Point, of: Callable[[Result], float]) -> Spread | None:
        """None where no member of a point has ended."""
        numbers = [of(each.result) for each in self.at(point)]
        return Spread.of(numbers) if numbers else None

    @property
    def front(self) -> tuple[Ended, ...]:
        """Those that no other one beats in both, the cheapest first: no other is as accurate at a lower cost."""
        found: list[Ended] = []
        for each in sorted(self.ended, key=lambda each: (self.against.of(each.result), -each.result.accuracy)):
            if not found or each.result.accuracy > found[-1].result.accuracy:
                found.append(each)
        return tuple(found)
