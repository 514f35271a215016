"""A graph's cells and ops as a tree of torch modules: members in an order in which they can run, and their wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.backends.failures import TargetFailed
from archdsl.ir import ClosedGraph, ClosedNode, identifier, module_path
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, FrameKind

Names: TypeAlias = "tuple[str, ...]"
"""The names of torch modules, one in the other."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One primitive."""

    node: ClosedNode
    home: Names
    """The module that computes it, from that of the scope: `("y_conv",)`, `("head", "conv")`."""
    line: str
    """The line of the text that it stands in, where that line lies in this very scope."""
    reads: tuple[str, ...]
    """Paths of maps."""
    position: int
    """Of its node, in the order of the text."""

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
    """What it is called where it stands."""
    home: Names
    """The module that computes it, from that of the scope around it: one for all instances that share their weights."""
    line: str
    kind: FrameKind | None
    definition: str
    members: tuple[Member, ...]
    reads: tuple[str, ...]
    """Maps from outside, in the order of their first use."""
    writes: tuple[str, ...]
    """Maps that are read outside."""
    position: int


Member: TypeAlias = "Leaf | Scope"


@dataclass(slots=True)
class _Building:
    """A scope while its nodes are collected."""

    attribute: str
    line: str
    kind: FrameKind | None
    definition: str
    leaves: list[_Placed] = field(default_factory=list["_Placed"])
    children: dict[str, _Building] = field(default_factory=dict[str, "_Building"])

    def every(self, inside: Names = ()) -> Iterator[tuple[_Placed, Names]]:
        """All primitives in it, each with the modules in which it lies there and its own name."""
        for leaf in self.leaves:
            yield leaf, (*inside, leaf.attribute)
        for name, child in self.children.items():
            yield from child.every((*inside, name))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A primitive where it stands."""

    node: ClosedNode
    attribute: str
    line: str
    reads: tuple[str, ...]
    position: int

    @property
    def owns_tensors(self) -> bool:
        assert isinstance(self.node.payload, Apply)
        return PRIMITIVES[self.node.payload.primitive].owns_tensors


def network_scope(graph: ClosedGraph) -> Scope:
    """The network as a tree. Raises TargetFailed where modules need each other's maps in a circle."""
    needed = graph.needed_by(graph.results)
    root = _Building("", "", None, graph.name)
    for position, (node, inputs) in enumerate(graph.nodes()):
        if isinstance(node.payload, Apply) and node.path in needed:
            _place(root, node, inputs, position)
    return _Tree({path: graph.readers(path) for path in graph}).scope(root, (), ())


def _place(root: _Building, node: ClosedNode, inputs: tuple[str, ...], position: int) -> None:
    scope = root
    lines: list[str] = []
    for frame in node.frames:
        lines.append(identifier(frame.spelled))
        if frame.kind is FrameKind.LINE:
            continue
        name = "_".join(lines)
        fresh = _Building(name, "_".join(lines[:-1]), frame.kind, frame.definition or frame.spelled)
        scope = scope.children.setdefault(name, fresh)
        lines = []
    name = "_".join([*lines, identifier(node.local)])
    scope.leaves.append(_Placed(node, name, "_".join(lines), inputs, position))


@dataclass(frozen=True, slots=True)
class _Tree:
    """Scopes of what was collected. What shares weights in part has no module of its own: its members stand outside."""

    readers: Mapping[str, tuple[str, ...]]

    def scope(self, building: _Building, module: Names, home: Names) -> Scope:
        """The scope with its members; `module` is where its module lies in the network."""
        members = _runnable(self._members(building, module, ()))
        inside = {leaf.node.path for member in members for leaf in _leaves(member)}
        reads = dict.fromkeys(path for member in members for path in member.reads if path not in inside)
        writes = tuple(
            path
            for member in members
            for path in member.writes
            if any(reader not in inside for reader in self.readers[path])
        )
        position = min((member.position for member in members), default=0)
        line, kind, definition = building.line, building.kind, building.definition
        return Scope(building.attribute, home, line, kind, definition, members, tuple(reads), writes, position)

    def _members(self, building: _Building, module: Names, inside: Names) -> list[Member]:
        """The members of a scope, or of one that stands `inside` it and has no module of its own."""
        found: list[Member] = []
        first: dict[Names, Scope] = {}
        for leaf in building.leaves:
            home = module_path(leaf.node)[len(module) :] if leaf.owns_tensors else (*inside, leaf.attribute)
            found.append(Leaf(leaf.node, home, leaf.line, leaf.reads, leaf.position))
        for name, child in building.children.items():
            home = _home(child, module, (*inside, name))
            scope = None if home is None else self.scope(child, (*module, *home), home)
            if scope is not None and _structure(first.setdefault(scope.home, scope)) == _structure(scope):
                found.append(scope)
            else:
                found += self._members(child, module, (*inside, name))
        return found


def _home(child: _Building, module: Names, here: Names) -> Names | None:
    """The module that computes a scope which stands `here` in a module: its own, or one that other places have too.

    None where it has a part of its weights from elsewhere.
    """
    own = (*module, *here)
    owners = [(module_path(leaf.node), path) for leaf, path in child.every() if leaf.owns_tensors]
    if all(owner[: len(own)] == own for owner, _ in owners):
        return here
    shared = {owner[: -len(path)] for owner, path in owners if owner[-len(path) :] == path}
    if len(shared) != 1:
        return None
    (found,) = shared
    return found[len(module) :] if all(owner[: len(found)] == found for owner, _ in owners) else None


def _structure(scope: Scope) -> object:
    """Equal for scopes that one module can compute."""
    places: dict[str, tuple[int, int]] = {path: (-1, index) for index, path in enumerate(scope.reads)}
    members: list[object] = []
    for index, member in enumerate(scope.members):
        what = _structure(member) if isinstance(member, Scope) else member.payload
        members.append((member.home, what, tuple(places[path] for path in member.reads)))
        places.update({path: (index, output) for output, path in enumerate(member.writes)})
    return scope.definition, scope.kind, tuple(members), tuple(places[path] for path in scope.writes)


def _runnable(members: Sequence[Member]) -> tuple[Member, ...]:
    """Members in the text's order, as far as each finds its maps ready."""
    waiting = sorted(members, key=lambda member: member.position)
    unready = {path for member in waiting for path in member.writes}
    ordered: list[Member] = []
    while waiting:
        ready = next((member for member in waiting if unready.isdisjoint(member.reads)), None)
        if ready is None:
            names = ", ".join(f"`{'.'.join(member.home)}`" for member in waiting)
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
