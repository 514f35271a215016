"""What is timed: rows of a table alone, and whole networks on which its scale is fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import fsum, prod
from random import Random
from typing import TypeAlias

from archdsl.cost.rows import Row, text_of, uses
from archdsl.ir import ClosedGraph, closed, for_inference
from archdsl.pipeline import Loaded
from archdsl.session import SESSION, Text
from archdsl.space.count import Census
from archdsl.space.trace import trace
from archdsl.text import SourceFile
from archdsl.weights.specification import specification


@dataclass(frozen=True, slots=True)
class Whole:
    """A network as a whole. Two that are made of the same rows are one."""

    name: str = field(compare=False)
    rows: tuple[tuple[Row, int], ...]
    """Each row with how often it is there."""

    @classmethod
    def of(cls, graph: ClosedGraph) -> Whole:
        counts = Counter(use.row for use in uses(graph))
        return cls(graph.name, tuple(sorted(counts.items(), key=lambda each: (each[0].reads, each[0].body))))

    def seconds(self, times: Mapping[Row, float]) -> float | None:
        """The sum of its rows; None where one has no time."""
        if any(row not in times for row, _ in self.rows):
            return None
        return fsum(times[row] * count for row, count in self.rows)


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
    def of_network(cls, graph: ClosedGraph) -> Task:
        main = for_inference(graph)
        return cls(Whole.of(main), lambda: main)


def graph_of(row: Row) -> ClosedGraph:
    """The network that is this row and nothing else."""
    checked = SESSION.check_item(Text(SourceFile(row.op, text_of(row))), None)
    if checked.failed:
        raise ValueError(f"{row} is no network: {checked.diagnostics[0].message}")
    meaning = checked.meanings[0]
    assert meaning.trace is not None
    return closed(meaning.program, meaning.trace, meaning.name)


def calibration(loaded: Loaded, count: int, seed: int = 0) -> tuple[Task, ...]:
    """`count` networks drawn uniformly from a space, each once; of an item that asks nothing the one that it is.

    Raises NotCounted.
    """
    if loaded.closed:
        return (Task.of_network(loaded.network()),)
    census, random = Census(loaded.program), Random(seed)
    drawn = (census.sample(random) for _ in range(count))
    tasks = [
        Task.of_network(closed(loaded.program, trace(loaded.program, answers), f"{loaded.name}_{number}"))
        for number, answers in enumerate(drawn, start=1)
    ]
    return tuple({task.subject: task for task in tasks}.values())


def weight_bytes(graph: ClosedGraph) -> int:
    return 4 * sum(prod(weight.shape) for weight in specification(graph).values())
