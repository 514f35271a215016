"""What each cell costs, and what of that is due to the ops that its answers pick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from archdsl.diff.cells import Cell
from archdsl.diff.model import Cost, Side
from archdsl.ir import Graph
from archdsl.space import Apply, Asked, Program, QuestionPath, Select
from archdsl.space.node_path import spell


@dataclass(frozen=True, slots=True)
class CellCost:
    """A cell, and the ops in it that stand on an edge which asks, by the question."""

    all: Cost = field(default_factory=Cost)
    picked: Mapping[QuestionPath, Cost] = field(default_factory=dict[QuestionPath, Cost])

    def to(self, other: CellCost) -> CellCost:
        """What changes from this cell to the other."""
        asked = dict.fromkeys([*other.picked, *self.picked])
        none = Cost()
        picked = {each: other.picked.get(each, none) - self.picked.get(each, none) for each in asked}
        return CellCost(other.all - self.all, picked)


def cell_costs(side: Side, cells: Mapping[str, Cell], changed: Container[QuestionPath]) -> Mapping[str, CellCost]:
    """By the path of the cell, with the ops that questions of `changed` picked; empty for a side without figures."""
    if side.figures is None:
        return {}
    latency = side.latency or {}
    by_node = {
        each.path: Cost(each.params, each.macs, each.activations, latency.get(each.path, 0.0))
        for each in side.figures.nodes
    }
    picked_by = _picked_by(side.graph, side.program)
    found: dict[str, CellCost] = {}
    for path, cell in cells.items():
        picked: dict[QuestionPath, Cost] = {}
        for node in cell.nodes:
            question = picked_by.get(node)
            if node in by_node and question is not None and question in changed:
                picked[question] = picked.get(question, Cost()) + by_node[node]
        found[path] = CellCost(sum((by_node[node] for node in cell.nodes if node in by_node), Cost()), picked)
    return found


def _picked_by(graph: Graph, program: Program) -> Mapping[str, QuestionPath]:
    """The question about an edge that picked the op in which a node stands, by the path of the node."""
    candidates = dict(_candidates(program))
    found: dict[str, QuestionPath] = {}
    for path in graph:
        shared = graph.node(path).location.shared
        inside = (spell(shared.frames[:depth]) for depth in range(1, len(shared.frames) + 1))
        for scope in (*inside, str(shared)):
            if scope in candidates:
                found[path] = candidates[scope]
                break
    return found


def _candidates(program: Program) -> Iterator[tuple[str, QuestionPath]]:
    """The calls and primitives between which an edge chooses, by their paths.

    A map that a candidate hands on is read by the others too: it is none of them.
    """
    readers = Counter(index for node in program.nodes for index in node.inputs)
    for node in program.nodes:
        match node.payload:
            case Select(Asked(question), _) if program.questions[question].on_line:
                around = node.location.frames
                for each in (program.nodes[index] for index in node.inputs if readers[index] == 1):
                    frames = each.location.frames
                    if frames[: len(around)] != around or not isinstance(each.payload, Apply):
                        continue
                    inner = frames[len(around) :]
                    yield spell(frames[: len(around) + 1]) if inner else str(each.location), question
            case _:
                pass
