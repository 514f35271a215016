"""The least and the greatest of each figure over all genotypes of a space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archdsl.cost import kernel
from archdsl.cost.bounds import Bounds, NoBounds, bounds
from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.expectation.measures import activations, macs, params, seconds
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.extremes import Extreme, Extremum, extremum
from archdsl.cost.kernel import Kernel
from archdsl.cost.tables import Table
from archdsl.space import Program, QuestionPath, Result
from archdsl.space.concrete import Answer

LIMIT: Final = 40_000
"""So many decision diagrams take one to two seconds; where more are needed there are bounds."""


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

    def end(self, extreme: Extreme) -> float:
        return self.least if extreme is Extreme.LEAST else self.greatest


class NoRange(Exception):
    """Questions of a space hang together in more ways than are told apart."""

    def __init__(self, program: Program) -> None:
        super().__init__(
            f"no genotype with the least or the greatest was found: answers of `{program.name}` hang together in more "
            f"ways than {LIMIT:,} decision diagrams tell apart"
        )


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
        self._works: dict[bool, Work | None] = {}
        """By whether auxiliary outputs are among it; None where it is too large."""
        self._bounded: dict[bool, Mapping[Figure, Bounds]] = {}

    def of(self, figure: Figure) -> Range:
        """Exact, or where that is out of reach with bounds as ends. Raises NoRange."""
        try:
            return _range(*(self.extremum(figure, extreme) for extreme in Extreme))
        except NoRange:
            return self._bounds(figure)

    def extremum(self, figure: Figure, extreme: Extreme) -> Extremum:
        """Raises NoRange."""
        try:
            work = self._work(auxiliary=figure is Figure.PARAMS_TRAINING)
            return extremum(work, _MEASURES[figure], extreme)
        except TooLarge:
            raise NoRange(self.program) from None

    def of_seconds(self, table: Table) -> Range:
        """Of the estimate by a table. Raises NoRange, MissingRows."""
        try:
            work = Work.of(self.program, passes=table.passes, limit=LIMIT)
            cost = seconds(table, work)
            return _range(*(extremum(work, cost, extreme) for extreme in Extreme))
        except TooLarge:
            raise NoRange(self.program) from None

    def _bounds(self, figure: Figure) -> Range:
        auxiliary = figure is Figure.PARAMS_TRAINING
        if auxiliary not in self._bounded:
            figures = [each for each in Figure if (each is Figure.PARAMS_TRAINING) == auxiliary]
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
            self._works[auxiliary] = None if None in self._works.values() else self._limited(auxiliary=auxiliary)
        work = self._works[auxiliary]
        if work is None:
            raise TooLarge
        return work

    def _limited(self, *, auxiliary: bool) -> Work | None:
        try:
            return Work.of(self.program, ops=False, auxiliary=auxiliary, limit=LIMIT)
        except TooLarge:
            return None
