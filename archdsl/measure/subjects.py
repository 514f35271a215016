"""What is timed: rows of a table alone, and whole networks on which its scale is fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum, prod
from random import Random
from typing import Final, TypeAlias

from archdsl.cost.graph_passes import GraphPasses
from archdsl.cost.rows import Row, text_of, uses
from archdsl.diagnostics import Severity
from archdsl.ir import ClosedGraph, closed, for_inference
from archdsl.pipeline import Loaded
from archdsl.sema.codes import DOES_NOT_DIVIDE
from archdsl.session import SESSION, Text
from archdsl.space.count import Census
from archdsl.space.trace import trace
from archdsl.text import SourceFile
from archdsl.weights.specification import specification


@dataclass(frozen=True, slots=True)
class Whole:
    """A network as a whole. Two of which the same rows are run are one."""

    name: str = field(compare=False)
    rows: tuple[tuple[Row, int], ...]
    """Each row that is run with how often it is there."""

    @classmethod
    def of(cls, graph: ClosedGraph, passes: GraphPasses) -> Whole:
        counts = Counter(use.row for use in uses(graph, passes))
        return cls(graph.name, tuple(sorted(counts.items(), key=lambda each: (each[0].reads, each[0].body))))

    def seconds(self, times: Mapping[Row, float]) -> float | None:
        """The sum of its rows; None where one has no time."""
        if any(row not in times for row, _ in self.rows):
            return None
        return fsum(times[row] * count for row, count in self.rows)


_CONSTANT: Final = Whole("constant", ())

Subject: TypeAlias = Row | Whole


@dataclass(frozen=True, slots=True)
class Task:
    """A subject with its network."""

    subject: Subject
    graph: Callable[[], ClosedGraph]

    @classmethod
    def of_row(cls, row: Row) -> Task:
        return cls(row, lambda: graph_of(row))

    @classmethod
    def of_network(cls, graph: ClosedGraph, passes: GraphPasses) -> Task:
        """`passes` are those of the runtime that it is measured in."""
        main = for_inference(graph)
        return cls(Whole.of(main, passes), lambda: main)


def graph_of(row: Row) -> ClosedGraph:
    """The network that is this row and nothing else."""
    checked = SESSION.check_item(Text(SourceFile(row.op, text_of(row))), None)
    # In its network a map that a row crops is not the last one, which has to be image-sized.
    wrong = [each for each in checked.diagnostics if each.severity is Severity.ERROR and each.code != DOES_NOT_DIVIDE]
    if wrong:
        raise ValueError(f"{row} is no network: {wrong[0].message}")
    meaning = checked.meanings[0]
    return closed(meaning.program, trace(meaning.program, {}), meaning.name)


def calibration(loaded: Loaded, count: int, passes: GraphPasses) -> tuple[Task, ...]:
    """Networks on which the scale of a table is fitted, for a runtime with these passes: none that it folds whole.

    Raises NotCounted.
    """
    found: dict[Subject, Task] = {}
    for graph in drawn(loaded, count):
        task = Task.of_network(graph, passes)
        if task.subject != _CONSTANT:
            found.setdefault(task.subject, task)
    return tuple(found.values())


def drawn(loaded: Loaded, count: int, seed: int = 0) -> Sequence[ClosedGraph]:
    """`count` networks drawn uniformly from a space; of an item that asks nothing the one that it is.

    Raises NotCounted.
    """
    if loaded.closed:
        return (loaded.network(),)
    census, random = Census(loaded.program), Random(seed)
    return [
        closed(loaded.program, trace(loaded.program, census.sample(random)), f"{loaded.name}_{number}")
        for number in range(1, count + 1)
    ]


def weight_bytes(graph: ClosedGraph) -> int:
    return 4 * sum(prod(weight.shape) for weight in specification(graph).values())
