"""How often networks have each row of a cost table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.cost.graph_passes import GraphPasses
from archdsl.cost.kernel import Kernel
from archdsl.cost.rows import Row, Use, uses
from archdsl.ir import ClosedGraph
from archdsl.space import Program
from archdsl.space.trace import Answers

Array = NDArray[np.float64]

_AT_ONCE = 1_000
"""So many networks are counted in one pass over the diagrams."""


@dataclass(frozen=True)
class RowCounts:
    """Networks, and the rows that any of them has."""

    kernels: Mapping[Row, Kernel]
    counts: Array
    """Networks x rows."""

    @classmethod
    def of(cls, graphs: Iterable[ClosedGraph], passes: GraphPasses) -> RowCounts:
        """Of closed graphs that a runtime with these passes runs."""
        found: list[Sequence[Use]] = [uses(graph, passes) for graph in graphs]
        kernels = {use.row: use.kernel for network in found for use in network}
        column = {row: position for position, row in enumerate(kernels)}
        counts = np.zeros((len(found), len(kernels)))
        for network, each in zip(counts, found, strict=True):
            for use in each:
                network[column[use.row]] += 1
        return cls(kernels, counts)

    @classmethod
    def of_answers(cls, program: Program, answers: Sequence[Answers], passes: GraphPasses) -> RowCounts:
        """The same for many networks of one program: thousands a second where few questions are asked.

        Raises TooLarge.
        """
        work = Work.of(program, passes=passes)
        expectation = Expectation.of(work, lambda _: 1.0)
        kernels = {term.row: term.kernel for term in work.terms}
        column = {row: position for position, row in enumerate(kernels)}
        to_rows = np.zeros((len(work.terms), len(kernels)))
        for number, term in enumerate(work.terms):
            to_rows[number, column[term.row]] = term.sign
        hot = np.zeros((expectation.size, len(answers)))
        for variable in expectation.variables:
            start = expectation.positions[variable.path].start
            places = {answer: start + position for position, answer in enumerate(variable.answers)}
            for number, given in enumerate(answers):
                if (answer := given.get(variable.path)) is not None:
                    hot[places[answer], number] = 1
        counts = [
            expectation.chances_of_terms(hot[:, first : first + _AT_ONCE]).T @ to_rows
            for first in range(0, len(answers), _AT_ONCE)
        ]
        return cls(kernels, np.concatenate(counts))

    def only(self, networks: Sequence[int] | NDArray[np.intp]) -> RowCounts:
        """Some of the networks, with the rows that they have."""
        counts = self.counts[networks]
        there: NDArray[np.bool_] = np.abs(counts).max(axis=0) > 0
        kernels = {
            row: kernel for (row, kernel), kept in zip(self.kernels.items(), there.tolist(), strict=True) if kept
        }
        return RowCounts(kernels, counts[:, there])
