"""Passes: a valid graph in, a valid graph out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from archdsl.ir.graph import Graph, Node
from archdsl.ir.invariants import verify
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Frame, FrameKind, Program, Result
from archdsl.space.trace import Key, Trace

Pass: TypeAlias = "Callable[[Graph], Graph]"


def run(graph: Graph, *passes: Pass) -> Graph:
    """The graph after each pass in turn, its invariants checked before and after. Raises BrokenGraph."""
    verify(graph)
    for each in passes:
        graph = verify(each(graph))
    return graph


def open_graph(program: Program) -> Graph:
    """A program as a graph, its questions in it under their paths."""
    paths = [node.path for node in program.nodes]
    nodes = (
        (Node(node.frames, node.local, node.payload, node.shape), tuple(paths[source] for source in node.inputs))
        for node in program.nodes
    )
    return Graph.of(program.name, nodes, program.questions)


def answered(program: Program, trace: Trace, name: str) -> Graph:
    """The network that answers give, each branch with nodes of its own."""
    paths: dict[Key, str] = {}
    nodes: list[tuple[Node, tuple[str, ...]]] = []
    for key, computed in sorted(trace.computed.items()):  # the order of the text, which is topological
        origin = program.nodes[computed.node]
        branches = (computed.branch,) if computed.branch else ()
        node = Node(owned(origin.frames, computed.branch), origin.local, computed.payload, computed.shape, branches)
        paths[key] = node.path
        nodes.append((node, tuple(paths[source] for source in computed.inputs)))
    return Graph.of(name, nodes)


def owned(frames: tuple[Frame, ...], branch: str) -> tuple[Frame, ...]:
    """Frames with a branch before the first cell: `b.trunk[10][8]`."""
    if not branch:
        return frames
    position = next((i for i, frame in enumerate(frames) if frame.kind is FrameKind.CELL), 0)
    first = frames[position]
    return (*frames[:position], replace(first, name=f"{branch}.{first.name}"), *frames[position + 1 :])


def share(graph: Graph) -> Graph:
    """Equal beginnings of branches are one computation: same cell, same op, same widths, same inputs (rule 4)."""
    merged: dict[str, str] = {}
    kept: dict[object, str] = {}
    found: dict[str, tuple[Node, tuple[str, ...]]] = {}
    for node, inputs in graph.nodes():
        sources = tuple(merged[source] for source in inputs)
        key = (_without(node), node.local, node.payload, sources) if node.branches else node.path
        first = kept.setdefault(key, node.path)
        merged[node.path] = first
        if first == node.path:
            found[first] = (node, sources)
        else:
            other, _ = found[first]
            found[first] = (replace(other, branches=(*other.branches, *node.branches)), sources)
    return _renamed(graph, found)


def _without(node: Node) -> tuple[Frame, ...]:
    """The node's frames as every branch has them."""
    (branch,) = node.branches
    return tuple(replace(frame, name=frame.name.removeprefix(f"{branch}.")) for frame in node.frames)


def _renamed(graph: Graph, found: dict[str, tuple[Node, tuple[str, ...]]]) -> Graph:
    """Shared nodes lose the branch in their path."""
    paths: dict[str, str] = {}
    nodes: list[tuple[Node, tuple[str, ...]]] = []
    everyone = {branch for node, _ in found.values() for branch in node.branches}
    for path, (node, inputs) in found.items():
        renamed = node
        if len(node.branches) > 1:
            bare = _without(replace(node, branches=node.branches[:1]))
            owners = "" if set(node.branches) == everyone else "+".join(node.branches)
            renamed = replace(node, frames=owned(bare, owners))
        paths[path] = renamed.path
        nodes.append((renamed, tuple(paths[source] for source in inputs)))
    return Graph.of(graph.name, nodes, graph.questions)


def prune(graph: Graph) -> Graph:
    """Only what an output reads, and the images."""
    needed: set[str] = set()
    waiting = [*graph.results, *graph.images]
    while waiting:
        path = waiting.pop()
        if path not in needed:
            needed.add(path)
            waiting.extend(graph.inputs(path))
    nodes = ((node, inputs) for node, inputs in graph.nodes() if node.path in needed)
    return Graph.of(graph.name, nodes, graph.questions)


def for_inference(graph: Graph) -> Graph:
    """Without auxiliary outputs and what only they read: these are trained with and never exported."""
    kept = (
        (node, inputs)
        for node, inputs in graph.nodes()
        if not (isinstance(node.payload, Result) and node.payload.auxiliary)
    )
    return prune(Graph.of(graph.name, kept, graph.questions))


def without_single_sums(graph: Graph) -> Graph:
    """A sum or concat of one map is that map."""
    same: dict[str, str] = {}
    nodes: list[tuple[Node, tuple[str, ...]]] = []
    for node, inputs in graph.nodes():
        sources = tuple(same.get(source, source) for source in inputs)
        match node.payload:
            case Apply(primitive) if len(sources) == 1:
                alone = PRIMITIVES[primitive].traits.identity_of_one
            case _:
                alone = False
        if alone:
            same[node.path] = sources[0]
        else:
            nodes.append((node, sources))
    return Graph.of(graph.name, nodes, graph.questions)


def closed(program: Program, trace: Trace, name: str) -> Graph:
    """The network that answers give, with what branches share computed once."""
    return run(answered(program, trace, name), share, without_single_sums, prune)
