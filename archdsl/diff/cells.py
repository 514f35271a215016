"""A graph by its cells: which nodes stand in each, and what it computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from archdsl.ir import Graph, Scope
from archdsl.ir.canonical import spell_payload
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, FrameKind
from archdsl.space.node_path import AT


@dataclass(frozen=True, slots=True)
class Cell:
    """The nodes under one cell instance. What stands in no cell is grouped by its line."""

    path: str
    definition: str
    """The cell that it is an instance of; empty for a line."""
    nodes: tuple[str, ...]
    outputs: tuple[str, ...]
    """Those of its nodes that others read, or nobody."""
    reads: tuple[str, ...]
    """The cells whose maps it reads, each once, in the order of first use."""
    scope: str
    """Its path without the branches that compute it, which its questions begin with: `trunk[10][8]`."""


def cells(graph: Graph) -> dict[str, Cell]:
    """Every cell by its path, in the order of the graph."""
    parts = {path: graph.scopes.part_of(path) for path in graph}
    owner = {path: part.path if part else path for path, part in parts.items()}
    members: dict[str, list[str]] = {}
    for path in graph:
        members.setdefault(owner[path], []).append(path)
    return {path: _cell(graph, path, parts[nodes[0]], nodes, owner) for path, nodes in members.items()}


def _cell(graph: Graph, path: str, part: Scope | None, nodes: Iterable[str], owner: Mapping[str, str]) -> Cell:
    region = graph.region(nodes)
    reads = tuple(dict.fromkeys(owner[source] for source in region.inputs))
    definition = part.definition if part and part.kind is FrameKind.CELL else ""
    return Cell(path, definition, region.nodes, region.outputs, reads, part.shared_path if part else path)


def maps_read(graph: Graph, cell: Cell) -> tuple[str, ...]:
    """The nodes outside of a cell whose maps it reads, each once."""
    return graph.region(cell.nodes).inputs


def digest(graph: Graph, cell: Cell, spell_source: Callable[[str], str]) -> str:
    """What a cell computes, whatever its nodes are called; `spell_source` says what is read from outside."""
    inside = set(cell.nodes)
    digests: dict[str, str] = {}
    for path in cell.nodes:
        node = graph.node(path)
        sources = [digests[each] if each in inside else f"<{spell_source(each)}>" for each in graph.inputs(path)]
        if isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].traits.commutative:
            sources.sort()
        weights = graph.shares(path) or ""
        text = f"{spell_payload(node.payload)}{weights}({','.join(sources)}):{node.shape}"
        digests[path] = sha256(text.encode()).hexdigest()
    return sha256(",".join(sorted(digests[path] for path in cell.outputs)).encode()).hexdigest()


def shared_by(graph: Graph, cell: Cell) -> str:
    """The names of weights that a cell shares with others, each once: `@head`; `own` where it shares none."""
    names: dict[str, None] = {}
    for weights in filter(None, map(graph.shares, cell.nodes)):
        steps = [*(frame.spelled for frame in weights.frames), weights.local]
        names[next(step for step in steps if step.startswith(AT))] = None
    return ", ".join(names) or "own"


def ops_of(graph: Graph, cell: Cell) -> str:
    """The ops of a cell, each once, in the order of the graph; questions and inputs are none."""
    names: dict[str, None] = {}
    for path in cell.nodes:
        node = graph.node(path)
        call = next((frame.definition for frame in node.frames if frame.kind is FrameKind.OP), "")
        if isinstance(node.payload, Apply) or call:
            names[call or re.sub(r"_\d+$", "", node.local)] = None
    return ", ".join(names)
