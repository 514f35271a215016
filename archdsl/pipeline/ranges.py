"""The least and the greatest of each figure over all genotypes of a space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.expectation.measures import activations, macs, params, seconds
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.extremes import Extreme, Extremum, extremum
from archdsl.cost.tables import Table
from archdsl.space import Program, Result

LIMIT: Final = 60_000
"""So many decision diagrams take about two seconds; where more are needed there is no range."""


class Figure(StrEnum):
    """What has a range, as constraints name it."""

    PARAMS = "params"
    PARAMS_TRAINING = "params_training"
    MACS = "macs"
    ACTIVATIONS = "activations"


@dataclass(frozen=True, slots=True)
class Range:
    """Both exact, each with a genotype that has it."""

    least: Extremum
    greatest: Extremum

    def end(self, extreme: Extreme) -> Extremum:
        return self.least if extreme is Extreme.LEAST else self.greatest


class NoRange(Exception):
    """Questions of a space hang together in more ways than are told apart."""

    def __init__(self, program: Program) -> None:
        super().__init__(
            f"the least and the greatest were not found: answers of `{program.name}` hang together in more ways "
            f"than {LIMIT:,} decision diagrams tell apart"
        )


_MEASURES: Final[Mapping[Figure, Callable[[Term], float]]] = {
    Figure.PARAMS: params,
    Figure.PARAMS_TRAINING: params,
    Figure.MACS: macs,
    Figure.ACTIVATIONS: activations,
}


class Ranges:
    """Of one program; what they have in common is found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._has_auxiliary = any(
            isinstance(result := program.nodes[index].payload, Result) and result.auxiliary for index in program.results
        )
        self._works: dict[bool, Work] = {}

    def of(self, figure: Figure) -> Range:
        """Raises NoRange."""
        return Range(*(self.extremum(figure, extreme) for extreme in Extreme))

    def extremum(self, figure: Figure, extreme: Extreme) -> Extremum:
        """Raises NoRange."""
        try:
            return extremum(
                self._work(auxiliary=self._has_auxiliary and figure is Figure.PARAMS_TRAINING),
                _MEASURES[figure],
                extreme,
            )
        except TooLarge:
            raise NoRange(self.program) from None

    def of_seconds(self, table: Table) -> Range:
        """Of the estimate by a table. Raises NoRange, MissingRows."""
        try:
            work = Work.of(self.program, zeros_folded=table.zeros_folded, limit=LIMIT)
            cost = seconds(table, work)
            return Range(*(extremum(work, cost, extreme) for extreme in Extreme))
        except TooLarge:
            raise NoRange(self.program) from None

    def _work(self, *, auxiliary: bool) -> Work:
        if auxiliary not in self._works:
            self._works[auxiliary] = Work.of(self.program, ops=False, auxiliary=auxiliary, limit=LIMIT)
        return self._works[auxiliary]
