"""A cell, an op or a line of a graph, found by name."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.ir import Graph
from archdsl.space import Apply


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything under one instance."""

    path: str
    definition: str
    """The cell or op that it is an instance of; empty for a line."""
    depth: int
    """How many frames its path has."""
    nodes: tuple[str, ...]
    """In the order of the graph, without maps that only pass through."""
    instances: int
    """How many instances its definition has in the graph."""


def find(graph: Graph, name: str) -> Scope | None:
    """The scope with this path; else the first so called; else the fullest instance of a cell or op so called."""
    scopes = _scopes(graph)
    if name in scopes:
        return _scope(graph, name, scopes)
    for path, (last, _, _) in scopes.items():
        if last == name:
            return _scope(graph, path, scopes)
    instances = [path for path, (_, definition, _) in scopes.items() if definition == name]
    if not instances:
        return None
    found = [_scope(graph, path, scopes, len(instances)) for path in instances]
    return max(found, key=lambda scope: len(scope.nodes))


def names(graph: Graph) -> list[str]:
    """Everything that `find` knows: definitions first, then paths of cells, ops and lines."""
    scopes = _scopes(graph)
    definitions = [definition for _, definition, _ in scopes.values() if definition]
    lasts = [last for last, _, _ in scopes.values()]
    return list(dict.fromkeys([*definitions, *lasts, *scopes]))


def _scopes(graph: Graph) -> dict[str, tuple[str, str, int]]:
    """The last step, the definition and the depth of each scope, by path."""
    found: dict[str, tuple[str, str, int]] = {}
    for node, _ in graph.nodes():
        path = ""
        for depth, frame in enumerate(node.frames, 1):
            path = f"{path}.{frame}" if path else str(frame)
            found.setdefault(path, (str(frame), frame.definition, depth))
    return found


def _scope(graph: Graph, path: str, scopes: dict[str, tuple[str, str, int]], instances: int = 1) -> Scope:
    _, definition, depth = scopes[path]
    prefix = f"{path}."
    members = [each for each in graph if each.startswith(prefix)]
    return Scope(path, definition, depth, tuple(_working(graph, members)), instances)


def _working(graph: Graph, members: list[str]) -> list[str]:
    """Without selects that hand maps of others on and are read by no op in here (`branch.at(8)` of a grid)."""
    inside = set(members)
    waiting = [path for path in members if isinstance(graph.node(path).payload, Apply)]
    kept = set(waiting)
    while waiting:
        path = waiting.pop()
        for other in (*graph.inputs(path), *graph.readers(path)):
            if other in inside and other not in kept:
                kept.add(other)
                waiting.append(other)
    return [path for path in members if path in kept]
