"""The least and the greatest of each figure over all genotypes of a space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from archdsl.cost import kernel
from archdsl.cost.bounds import Bounds, NoBounds, bounds
from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.expectation.measures import activations, macs, params, seconds
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.extremes import Extreme, Extremum, extremum
from archdsl.cost.kernel import Kernel
from archdsl.cost.region_prices import KernelPrices, TablePrices
from archdsl.cost.rows import rows_of
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table
from archdsl.extras import PACKAGES, Extra, install_line, is_installed
from archdsl.ir import closed
from archdsl.space import Program, QuestionPath, Result
from archdsl.space.concrete import Answer
from archdsl.space.trace import trace
from archdsl.space.walk import varying

if TYPE_CHECKING:
    from archdsl.cost.frontier import Frontier

LIMIT: Final = 40_000
"""So many decision diagrams take one to two seconds; where more are needed there are bounds."""

T = TypeVar("T")


class Figure(StrEnum):
    """What has a range, as constraints name it."""

    PARAMS = "params"
    PARAMS_TRAINING = "params_training"
    MACS = "macs"
    ACTIVATIONS = "activations"


@dataclass(frozen=True, slots=True)
class Range:
    """No genotype has less than `least`, and none more than `greatest`."""

    least: float
    greatest: float
    exact: Mapping[Extreme, Mapping[QuestionPath, Answer]]
    """For each end a genotype that has it; empty where the ends are bounds."""
    interpolated: frozenset[Extreme] = frozenset()
    """The ends whose genotype has rows that were not measured."""

    def end(self, extreme: Extreme) -> float:
        return self.least if extreme is Extreme.LEAST else self.greatest


class NoRange(Exception):
    """Questions of a space hang together in more ways than are told apart."""

    def __init__(self, program: Program) -> None:
        reason = (
            f"no genotype with the least or the greatest was found: answers of `{program.name}` hang together in more "
            f"ways than {LIMIT:,} decision diagrams tell apart"
        )
        super().__init__(reason if _has_arrays() else f"{reason}; `{install_line(Extra.COST)}` brings another method")


_KERNELS: Final[Mapping[Figure, Callable[[Kernel], float]]] = {
    Figure.PARAMS: kernel.params,
    Figure.PARAMS_TRAINING: kernel.params,
    Figure.MACS: kernel.macs,
    Figure.ACTIVATIONS: kernel.activations,
}
_MEASURES: Final[Mapping[Figure, Callable[[Term], float]]] = {
    Figure.PARAMS: params,
    Figure.PARAMS_TRAINING: params,
    Figure.MACS: macs,
    Figure.ACTIVATIONS: activations,
}


def _range(least: Extremum, greatest: Extremum) -> Range:
    exact = {Extreme.LEAST: least.answers, Extreme.GREATEST: greatest.answers}
    return Range(least.value, greatest.value, exact)


class Ranges:
    """Of one program; what they have in common is found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._has_auxiliary = any(
            isinstance(result := program.nodes[index].payload, Result) and result.auxiliary for index in program.results
        )
        # By whether auxiliary outputs are among it; None where it is too large.
        self._works: dict[bool, Work | None] = {}
        self._frontiers: dict[bool, Frontier | None] = {}
        self._bounded: dict[bool, Mapping[Figure, Bounds]] = {}

    def of(self, figure: Figure) -> Range:
        """Exact, or where that is out of reach with bounds as ends. Raises NoRange."""
        try:
            return _range(*(self.extremum(figure, extreme) for extreme in Extreme))
        except NoRange:
            if self._counts_once(figure):
                raise
            return self._bounds(figure)

    def extremum(self, figure: Figure, extreme: Extreme) -> Extremum:
        """Raises NoRange."""

        def eliminated() -> Extremum:
            return extremum(self._work(auxiliary=_is_trained(figure)), _MEASURES[figure], extreme)

        def walked() -> Extremum:
            if self._counts_once(figure):
                raise TooLarge
            position = _figures(auxiliary=_is_trained(figure)).index(figure)
            return self._frontier(auxiliary=_is_trained(figure)).extremum(position, extreme)

        return self._found(eliminated, walked)

    def _counts_once(self, figure: Figure) -> bool:
        """Whether places share what is counted, which only elimination sees: kernels are priced one by one else."""
        is_params = figure in (Figure.PARAMS, Figure.PARAMS_TRAINING)
        return is_params and any(node.weights is not None for node in self.program.nodes)

    def of_seconds(self, table: Table) -> Range:
        """Of the estimate by a table. Raises NoRange, MissingRows."""

        def eliminated() -> Range:
            work = Work.of(self.program, passes=table.passes, limit=LIMIT, encoded=True)
            cost = seconds(table, work)
            return _range(*(extremum(work, cost, extreme) for extreme in Extreme))

        def walked() -> Range:
            prices = TablePrices(self.program, table)
            frontier = _frontier(self.program, prices)
            prices.require(rows_of_space(self.program))
            return _range(*(frontier.extremum(0, extreme) for extreme in Extreme))

        found = self._found(eliminated, walked)
        return replace(found, interpolated=frozenset(end for end in Extreme if self._lies_between(found, end, table)))

    def _lies_between(self, found: Range, end: Extreme, table: Table) -> bool:
        if not table.interpolated:
            return False
        graph = closed(self.program, trace(self.program, found.exact[end]), self.program.name)
        return not table.interpolated.isdisjoint(rows_of(graph, table.passes))

    def _found(self, eliminated: Callable[[], T], walked: Callable[[], T]) -> T:
        """By the first method that gets there: where branches share, elimination seldom does. Raises NoRange."""
        for method in (walked, eliminated) if varying(self.program) else (eliminated, walked):
            with suppress(TooLarge):
                return method()
        raise NoRange(self.program)

    def _bounds(self, figure: Figure) -> Range:
        auxiliary = _is_trained(figure)
        if auxiliary not in self._bounded:
            figures = _figures(auxiliary=auxiliary)
            try:
                found = bounds(self.program, [_KERNELS[each] for each in figures], auxiliary=auxiliary)
            except NoBounds:
                raise NoRange(self.program) from None
            self._bounded[auxiliary] = dict(zip(figures, found, strict=True))
        ends = self._bounded[auxiliary][figure]
        return Range(ends.least, ends.greatest, {})

    def _work(self, *, auxiliary: bool) -> Work:
        """Raises TooLarge."""
        auxiliary = auxiliary and self._has_auxiliary
        if auxiliary not in self._works:
            # With auxiliary outputs it is larger still.
            self._works[auxiliary] = None
            if None not in [work for kind, work in self._works.items() if kind != auxiliary]:
                self._works[auxiliary] = Work.of(self.program, ops=False, auxiliary=auxiliary, limit=LIMIT)
        return _there(self._works[auxiliary])

    def _frontier(self, *, auxiliary: bool) -> Frontier:
        """Raises TooLarge."""
        if auxiliary not in self._frontiers:
            self._frontiers[auxiliary] = None
            prices = KernelPrices([_KERNELS[figure] for figure in _figures(auxiliary=auxiliary)])
            self._frontiers[auxiliary] = _frontier(self.program, prices, auxiliary=auxiliary)
        return _there(self._frontiers[auxiliary])


def _frontier(program: Program, prices: KernelPrices | TablePrices, *, auxiliary: bool = False) -> Frontier:
    """Raises TooLarge, also where there are no arrays."""
    if not _has_arrays():
        raise TooLarge
    from archdsl.cost.frontier import Frontier
    from archdsl.cost.regions import Regions

    return Frontier(Regions.of(program, prices, auxiliary=auxiliary))


def _there(found: T | None) -> T:
    if found is None:
        raise TooLarge
    return found


def _has_arrays() -> bool:
    return all(map(is_installed, PACKAGES[Extra.COST]))


def _is_trained(figure: Figure) -> bool:
    return figure is Figure.PARAMS_TRAINING


def _figures(*, auxiliary: bool) -> list[Figure]:
    """Those that count auxiliary outputs, or those that do not."""
    return [figure for figure in Figure if _is_trained(figure) == auxiliary]
