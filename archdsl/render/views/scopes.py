"""A cell, an op or a line of a graph, found by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.ir import Graph, scopes
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
    tree = graph.scopes
    if name in tree:
        return _scope(graph, tree[name])
    for scope in tree:
        if scope.name == name:
            return _scope(graph, scope)
    instances = tree.instances(name)
    if not instances:
        return None
    found = [_scope(graph, scope, len(instances)) for scope in instances]
    return max(found, key=lambda scope: len(scope.nodes))


def names(graph: Graph) -> list[str]:
    """Everything that `find` knows: definitions first, then paths of cells, ops and lines."""
    tree = graph.scopes
    definitions = [scope.definition for scope in tree if scope.definition]
    return list(dict.fromkeys([*definitions, *(scope.name for scope in tree), *(scope.path for scope in tree)]))


def _scope(graph: Graph, scope: scopes.Scope, instances: int = 1) -> Scope:
    return Scope(scope.path, scope.definition, scope.depth, tuple(_working(graph, scope.nodes)), instances)


def _working(graph: Graph, members: Sequence[str]) -> list[str]:
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
