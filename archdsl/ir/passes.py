"""Passes: pure functions from a valid graph to a valid graph."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from itertools import count
from typing import TypeAlias, TypeVar

from archdsl.ir.graph import ClosedGraph, ClosedNode, OpenGraph, OpenNode
from archdsl.ir.invariants import verify
from archdsl.ir.names import shared_weights
from archdsl.space import Apply, Image, Program, Result
from archdsl.space.concrete import Computed
from archdsl.space.trace import Trace
from archdsl.space.walk import Key

G = TypeVar("G", OpenGraph, ClosedGraph)
Pass: TypeAlias = "Callable[[G], G]"


def run(graph: G, *passes: Pass[G]) -> G:
    """The graph after each pass in turn, its invariants checked before and after. Raises BrokenGraph."""
    verify(graph)
    for each in passes:
        graph = verify(each(graph))
    return graph


def open_graph(program: Program) -> OpenGraph:
    """A program as a graph, its questions in it under their paths. Raises BrokenGraph."""
    paths = [node.path for node in program.nodes]
    shared = shared_weights(program)
    nodes = (
        (
            OpenNode(node.location, node.payload, node.shape, shared.get(index)),
            tuple(paths[source] for source in node.inputs),
        )
        for index, node in enumerate(program.nodes)
    )
    return verify(OpenGraph.of(program.name, nodes, program.questions))


def answered(program: Program, trace: Trace, name: str) -> ClosedGraph:
    """The network that answers give, each branch with nodes of its own."""
    paths: dict[Key, str] = {}
    nodes: list[tuple[ClosedNode, tuple[str, ...]]] = []
    taken: set[str] = set()
    # The order of the text, which is topological.
    for key in sorted(trace.computed, key=lambda key: (key.node, program.order(key.branch))):
        computed = trace.computed[key]
        node = _closed(program, computed, taken)
        taken.add(node.path)
        paths[key] = node.path
        nodes.append((node, tuple(paths[source] for source in computed.inputs)))
    return ClosedGraph.of(name, nodes)


def _closed(program: Program, computed: Computed, taken: Container[str]) -> ClosedNode:
    assert isinstance(computed.payload, Image | Apply | Result)  # a trace takes the others away
    branches = (str(computed.key.branch),) if computed.key.branch is not None else ()
    location = program.nodes[computed.key.node].location.owned_by(branches)
    # What the branch `a` computes in the line `x` and what the cell `a` does in its line `x` would have one path.
    names = (location.named(f"{location.local}_{number}") for number in count(2))
    free = location if location.spelled not in taken else next(name for name in names if name.spelled not in taken)
    weights = shared_weights(program).get(computed.key.node)
    return ClosedNode(free, computed.payload, computed.shape, branches, computed.key, weights)


def share(graph: ClosedGraph) -> ClosedGraph:
    """Equal beginnings of branches are one computation: same cell, op, widths and inputs (`rule-branches`)."""
    merged: dict[str, str] = {}
    kept: dict[object, str] = {}
    found: dict[str, tuple[ClosedNode, tuple[str, ...]]] = {}
    for node, inputs in graph.nodes():
        sources = tuple(merged[source] for source in inputs)
        key = (node.location.shared, node.payload, sources) if node.branches else node.path
        first = kept.setdefault(key, node.path)
        merged[node.path] = first
        if first == node.path:
            found[first] = (node, sources)
        else:
            other, _ = found[first]
            found[first] = (replace(other, branches=(*other.branches, *node.branches)), sources)
    return _renamed(graph, found)


def _renamed(graph: ClosedGraph, found: dict[str, tuple[ClosedNode, tuple[str, ...]]]) -> ClosedGraph:
    """A node that several branches share is theirs.

    What all share is nobody's own, unless such a node is read beside.
    """
    paths: dict[str, str] = {}
    nodes: list[tuple[ClosedNode, tuple[str, ...]]] = []
    everyone = {branch for node, _ in found.values() for branch in node.branches}
    beside = {path for path, (node, _) in found.items() if not node.branches}
    for path, (node, inputs) in found.items():
        renamed = node
        if len(node.branches) > 1:
            shared = node.location.shared
            nobodys = set(node.branches) == everyone and shared.spelled not in beside
            renamed = replace(node, location=shared if nobodys else shared.owned_by(node.branches))
        paths[path] = renamed.path
        nodes.append((renamed, tuple(paths[source] for source in inputs)))
    return ClosedGraph.of(graph.name, nodes)


def prune(graph: ClosedGraph) -> ClosedGraph:
    """Only what an output reads, and the images."""
    return graph.only(graph.needed_by((*graph.results, *graph.images)))


def for_inference(graph: ClosedGraph) -> ClosedGraph:
    """Without auxiliary outputs and what only they read: these are trained with and never exported."""
    main = (path for path, payload in graph.with_payload(Result) if not payload.auxiliary)
    return graph.only(graph.needed_by((*main, *graph.images)))


def closed(program: Program, trace: Trace, name: str) -> ClosedGraph:
    """The network that answers give, with what branches share computed once."""
    return run(answered(program, trace, name), share, prune)
