"""A graph by its cells: which nodes stand in each, and what it computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from archdsl.ir import Graph, cell_of
from archdsl.ir.canonical import spell_payload
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, FrameKind, Program


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


def cells(graph: Graph) -> dict[str, Cell]:
    """Every cell by its path, in the order of the graph."""
    members: dict[str, list[str]] = {}
    definitions: dict[str, str] = {}
    owner: dict[str, str] = {}
    for node, _ in graph.nodes():
        path, definition = cell_of(node)
        members.setdefault(path, []).append(node.path)
        definitions[path] = definition
        owner[node.path] = path
    return {path: _cell(graph, path, definitions[path], nodes, owner) for path, nodes in members.items()}


def _cell(graph: Graph, path: str, definition: str, nodes: list[str], owner: Mapping[str, str]) -> Cell:
    outputs = [node for node in nodes if not (read := graph.readers(node)) or any(owner[each] != path for each in read)]
    sources = (owner[source] for node in nodes for source in graph.inputs(node))
    reads = tuple(dict.fromkeys(source for source in sources if source != path))
    return Cell(path, definition, tuple(nodes), tuple(outputs), reads)


def maps_read(graph: Graph, cell: Cell) -> tuple[str, ...]:
    """The nodes outside of a cell whose maps it reads, each once."""
    inside = set(cell.nodes)
    return tuple(dict.fromkeys(s for node in cell.nodes for s in graph.inputs(node) if s not in inside))


def digest(graph: Graph, cell: Cell, spell_source: Callable[[str], str]) -> str:
    """What a cell computes, whatever its nodes are called; `spell_source` says what is read from outside."""
    inside = set(cell.nodes)
    digests: dict[str, str] = {}
    for path in cell.nodes:
        node = graph.node(path)
        sources = [digests[each] if each in inside else f"<{spell_source(each)}>" for each in graph.inputs(path)]
        if isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].traits.commutative:
            sources.sort()
        text = f"{spell_payload(node.payload)}({','.join(sources)}):{node.shape}"
        digests[path] = sha256(text.encode()).hexdigest()
    return sha256(",".join(sorted(digests[path] for path in cell.outputs)).encode()).hexdigest()


def bare(program: Program, path: str) -> str:
    """A cell's path without the branches that compute it: `trunk[10][8]` of `b.trunk[10][8]`."""
    owners, dot, rest = path.partition(".")
    return rest if dot and all(owner in program.branches for owner in owners.split("+")) else path


def ops_of(graph: Graph, cell: Cell) -> str:
    """The ops of a cell, each once, in the order of the graph; questions and inputs are none."""
    names: dict[str, None] = {}
    for path in cell.nodes:
        node = graph.node(path)
        call = next((frame.definition for frame in node.frames if frame.kind is FrameKind.OP), "")
        if isinstance(node.payload, Apply) or call:
            names[call or re.sub(r"_\d+$", "", node.local)] = None
    return ", ".join(names)
