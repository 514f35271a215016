"""A graph's cells and ops as a tree of torch modules: members in an order in which they can run, and their wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.backends.failures import TargetFailed
from archdsl.ir import ClosedGraph, ClosedNode, identifier, module_path
from archdsl.space import Apply, FrameKind


@dataclass(frozen=True, slots=True)
class Leaf:
    """One primitive."""

    node: ClosedNode
    attribute: str
    """The last step of its module path: `y_conv`."""
    line: str
    """The line of the text that it stands in, where that line lies in this very scope."""
    reads: tuple[str, ...]
    """Paths of maps."""

    @property
    def writes(self) -> tuple[str, ...]:
        return (self.node.path,)

    @property
    def payload(self) -> Apply:
        assert isinstance(self.node.payload, Apply)
        return self.node.payload


@dataclass(frozen=True, slots=True)
class Scope:
    """One instance of a cell or an op, or the network itself."""

    attribute: str
    line: str
    kind: FrameKind | None
    definition: str
    members: tuple[Member, ...]
    reads: tuple[str, ...]
    """Maps from outside, in the order of their first use."""
    writes: tuple[str, ...]
    """Maps that are read outside."""


Member: TypeAlias = "Leaf | Scope"


@dataclass(slots=True)
class _Building:
    """A scope while its nodes are collected; `order` is the position of its first node."""

    attribute: str
    line: str
    kind: FrameKind | None
    definition: str
    leaves: list[Leaf]
    children: dict[str, _Building]
    places: dict[str, int]
    """Position of each member's first node, by attribute."""


def network_scope(graph: ClosedGraph) -> Scope:
    """The network as a tree. Raises TargetFailed where modules need each other's maps in a circle."""
    needed = graph.needed_by(graph.results)
    root = _Building("", "", None, graph.name, [], {}, {})
    for position, (node, inputs) in enumerate(graph.nodes()):
        if isinstance(node.payload, Apply) and node.path in needed:
            _place(root, node, inputs, position)
    readers = {path: graph.readers(path) for path in graph}
    return _finished(root, readers)


def _place(root: _Building, node: ClosedNode, inputs: tuple[str, ...], position: int) -> None:
    scope = root
    names = module_path(node)
    lines: list[str] = []
    modules = iter(names[:-1])
    for frame in node.frames:
        if frame.kind is FrameKind.LINE:
            lines.append(identifier(str(frame)))
            continue
        name = next(modules)
        scope.places.setdefault(name, position)
        fresh = _Building(name, "_".join(lines), frame.kind, frame.definition or str(frame), [], {}, {})
        scope = scope.children.setdefault(name, fresh)
        lines = []
    if names[-1] in scope.places:
        raise TargetFailed(f"two modules would be called `{'.'.join(names)}`")
    scope.places[names[-1]] = position
    scope.leaves.append(Leaf(node, names[-1], "_".join(lines), inputs))


def _finished(building: _Building, readers: Mapping[str, tuple[str, ...]]) -> Scope:
    children = [_finished(child, readers) for child in building.children.values()]
    members = _runnable(building, [*building.leaves, *children])
    inside = {leaf.node.path for member in members for leaf in _leaves(member)}
    reads = dict.fromkeys(path for member in members for path in member.reads if path not in inside)
    writes = tuple(
        path for member in members for path in member.writes if any(reader not in inside for reader in readers[path])
    )
    return Scope(building.attribute, building.line, building.kind, building.definition, members, tuple(reads), writes)


def _runnable(building: _Building, members: list[Member]) -> tuple[Member, ...]:
    """Members in the text's order, as far as each finds its maps ready."""
    waiting = sorted(members, key=lambda member: building.places[member.attribute])
    unready = {path for member in waiting for path in member.writes}
    ordered: list[Member] = []
    while waiting:
        ready = next((member for member in waiting if unready.isdisjoint(member.reads)), None)
        if ready is None:
            names = ", ".join(f"`{member.attribute}`" for member in waiting)
            raise TargetFailed(f"modules read each other's maps in a circle: {names}")
        waiting.remove(ready)
        unready.difference_update(ready.writes)
        ordered.append(ready)
    return tuple(ordered)


def _leaves(member: Member) -> Iterator[Leaf]:
    match member:
        case Leaf():
            yield member
        case Scope():
            for inner in member.members:
                yield from _leaves(inner)
