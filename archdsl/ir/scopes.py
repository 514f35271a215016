"""The scope tree of a graph: nested cells, ops and lines, each a region of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.space import Frame, FrameKind, NodePath
from archdsl.space.node_path import below, spell, unowned


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One instance of a cell or an op, a line, or the network itself."""

    frames: tuple[Frame, ...]
    """The steps from the network to this scope, itself last; none for the network."""
    path: str
    """As spelled: `b.trunk[5][8].stay`; empty for the network."""
    nodes: tuple[str, ...]
    """The paths of all nodes inside, those of nested scopes among them, in the order of the graph."""
    own: tuple[str, ...]
    """Those of them that stand in no nested scope."""
    children: tuple[Scope, ...]
    """In the order of their first nodes."""

    @property
    def frame(self) -> Frame | None:
        return self.frames[-1] if self.frames else None

    @property
    def kind(self) -> FrameKind | None:
        """None for the network itself."""
        return self.frames[-1].kind if self.frames else None

    @property
    def name(self) -> str:
        """The last step of its path, with the branches in it: `b.trunk[5][8]`."""
        return str(self.frames[-1]) if self.frames else ""

    @property
    def definition(self) -> str:
        """The cell or op that it is an instance of; empty for a line and for the network."""
        return self.frames[-1].definition if self.frames else ""

    @property
    def owners(self) -> tuple[str, ...]:
        """The branches that compute this copy of it, where not all compute one together."""
        return next((frame.owners for frame in self.frames if frame.owners), ())

    @property
    def shared_path(self) -> str:
        """The path without owners, as the space and its questions say it: `trunk[5][8]` of `b.trunk[5][8]`."""
        return spell(unowned(self.frames))

    @property
    def depth(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True)
class Region:
    """Some nodes of a graph, and the maps that cross its border."""

    nodes: tuple[str, ...]
    """In the order of the graph."""
    inputs: tuple[str, ...]
    """Nodes outside whose maps are read inside, each once, in the order of first use."""
    outputs: tuple[str, ...]
    """Nodes inside whose maps are read outside, or by nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class ScopeTree:
    """The scopes of a graph, found by path and by the nodes in them.

    Every node stands in a chain of scopes, the network outermost. The nodes of a scope are its own and those of its
    children, each once.
    """

    root: Scope
    by_path: Mapping[str, Scope]
    """All scopes but the network, each before those inside, in the order of their first nodes."""
    around: Mapping[str, tuple[Scope, ...]]
    """For each node the scopes that it stands in, from the outermost, without the network."""

    def __getitem__(self, path: str) -> Scope:
        return self.by_path[path]

    def __contains__(self, path: str) -> bool:
        return path in self.by_path

    def __iter__(self) -> Iterator[Scope]:
        return iter(self.by_path.values())

    def __len__(self) -> int:
        return len(self.by_path)

    def outermost(self, node: str, kind: FrameKind) -> Scope | None:
        """The outermost scope of a kind that a node stands in."""
        return next((scope for scope in self.around[node] if scope.kind is kind), None)

    def innermost(self, node: str, kind: FrameKind) -> Scope | None:
        return next((scope for scope in reversed(self.around[node]) if scope.kind is kind), None)

    def part_of(self, node: str) -> Scope | None:
        """The outermost cell that a node stands in; else its outermost line or op; None for what stands in nothing.

        This is what pages that list a network by its cells have a row for.
        """
        chain = self.around[node]
        return self.outermost(node, FrameKind.CELL) or (chain[0] if chain else None)

    def instances(self, definition: str) -> tuple[Scope, ...]:
        """Every instance of a cell or op."""
        return tuple(scope for scope in self if scope.definition == definition)


@dataclass(slots=True)
class _Growing:
    """A scope while its nodes are collected."""

    frames: tuple[Frame, ...]
    path: str
    nodes: list[str] = field(default_factory=list[str])
    own: list[str] = field(default_factory=list[str])
    children: dict[str, _Growing] = field(default_factory=dict[str, "_Growing"])


def scope_tree(nodes: Sequence[NodePath]) -> ScopeTree:
    """The tree of these nodes, whose scopes have a path each."""
    root = _Growing((), "")
    known: dict[str, _Growing] = {}
    chains: dict[int, list[_Growing]] = {}
    """By the identity of frames, which neighbours share."""
    inside: dict[str, list[_Growing]] = {}
    for location in nodes:
        if (chain := chains.get(id(location.frames))) is None:
            chain = chains[id(location.frames)] = _descend(root, known, location.frames)
        inside[location.spelled] = chain
        root.nodes.append(location.spelled)
        for scope in chain:
            scope.nodes.append(location.spelled)
        (chain[-1] if chain else root).own.append(location.spelled)
    found: dict[str, Scope] = {}
    network = _finished(root, found)
    around = {id(chain): tuple(found[scope.path] for scope in chain) for chain in chains.values()}
    return ScopeTree(
        network, {path: found[path] for path in known}, {node: around[id(chain)] for node, chain in inside.items()}
    )


def _descend(root: _Growing, known: dict[str, _Growing], frames: tuple[Frame, ...]) -> list[_Growing]:
    """The scopes that these frames lead through, made where they are met first."""
    chain: list[_Growing] = []
    above = root
    for depth, frame in enumerate(frames, 1):
        scope = above.children.get(frame.spelled)
        if scope is None:
            path = below(above.path, frame)
            scope = above.children[frame.spelled] = known[path] = _Growing(frames[:depth], path)
        chain.append(scope)
        above = scope
    return chain


def _finished(scope: _Growing, found: dict[str, Scope]) -> Scope:
    children = tuple(_finished(child, found) for child in scope.children.values())
    made = Scope(scope.frames, scope.path, tuple(scope.nodes), tuple(scope.own), children)
    found[scope.path] = made
    return made
