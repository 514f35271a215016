"""The part of a graph that runs at inference."""

from __future__ import annotations

from archdsl.ir import Graph, verify
from archdsl.space import Result


def for_inference(graph: Graph) -> Graph:
    """The graph without its auxiliary outputs and without what only they read (language.md, rule 10)."""
    verify(graph)
    needed: set[str] = set()
    waiting = [path for path, result in graph.with_payload(Result) if not result.auxiliary]
    while waiting:
        path = waiting.pop()
        if path not in needed:
            needed.add(path)
            waiting.extend(graph.inputs(path))
    kept = [(node, inputs) for node, inputs in graph.nodes() if node.path in needed or node.path in graph.images]
    return verify(Graph.of(graph.name, kept, graph.questions))
