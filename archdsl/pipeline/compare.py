"""Two items compared, with what each change costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl.cost import figures
from archdsl.diff import Difference, Side, diff, side
from archdsl.pipeline.load import Loaded

if TYPE_CHECKING:
    from archdsl.cost.tables import Table
    from archdsl.ir import ClosedGraph


def compare(before: Loaded, after: Loaded, table: Table | None = None) -> Difference:
    """What changes from one space or genotype to the other; false where nothing does.

    With a cost table also what that does to the latency of two networks. Raises MissingRows.
    """
    return diff(_side(before, table), _side(after, table))


def _side(loaded: Loaded, table: Table | None) -> Side:
    answers = loaded.meaning.answers
    if not loaded.closed:
        return side(loaded.name, loaded.program, answers, loaded.supernet())
    graph = loaded.network()
    latency = None if table is None else _latency(graph, table)
    return side(loaded.name, loaded.program, answers, graph, figures(graph), latency)


def _latency(graph: ClosedGraph, table: Table) -> Mapping[str, float]:
    from archdsl.cost.estimate import estimate

    return estimate(graph, table).by_node()
