"""The two graphs of a network on networkx multigraphs: open while questions are left, closed afterwards.

The only importer of networkx. Nodes are keyed by their spelled paths: that is what figures, pages, tables and people
that look into `graph.nx` name them by. The path as data is the node's `location`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Generic, Literal, TypeAlias, TypeVar

import networkx as nx

from archdsl.ir.errors import BrokenGraph
from archdsl.ir.scopes import Region, ScopeTree, scope_tree
from archdsl.ops import Shape
from archdsl.records import record
from archdsl.space import Apply, Frame, Image, NodePath, Payload, Question, QuestionPath, Result
from archdsl.space.walk import Key

ClosedPayload: TypeAlias = "Image | Apply | Result"


@record
class _Placed:
    location: NodePath

    @property
    def path(self) -> str:
        """The node's key in its graph."""
        return self.location.spelled

    @property
    def frames(self) -> tuple[Frame, ...]:
        return self.location.frames

    @property
    def local(self) -> str:
        return self.location.local


@record
class OpenNode(_Placed):
    """What a node of an open graph is. Its inputs are the graph's edges."""

    payload: Payload
    shape: Shape
    """Channels, height, width of its map at the graph's input size; answers may decide the channels."""
    weights: NodePath | None = None
    """Where its weights lie, if other nodes may have them too; None where they are its own."""


@record
class ClosedNode(_Placed):
    """What a node of a closed graph is. Its inputs are the graph's edges."""

    payload: ClosedPayload
    shape: Shape
    """Channels, height, width of its map at the graph's input size, all of them numbers."""
    branches: tuple[str, ...] = ()
    """The branches that compute it; empty where no branch is involved."""
    origin: Key | None = field(default=None, compare=False, repr=False)
    """The node of the program that it comes from, and for which branch; None where a graph was made otherwise."""
    weights: NodePath | None = None
    """Where its weights lie, if other nodes may have them too; None where they are its own."""


Node: TypeAlias = "OpenNode | ClosedNode"
N = TypeVar("N", OpenNode, ClosedNode)
P = TypeVar("P")


@dataclass(frozen=True)
class _Graph(Generic[N]):
    """Nodes by path, in topological order, with ordered inputs. A graph is a value: passes return new ones."""

    name: str
    nx: nx.MultiDiGraph[str] = field(repr=False)

    def __len__(self) -> int:
        return len(self.nx)

    def __contains__(self, path: str) -> bool:
        return path in self.nx

    def __iter__(self) -> Iterator[str]:
        """Paths in topological order, the same on every run."""
        return iter(self.nx)

    @cached_property
    def _nodes(self) -> Mapping[str, N]:
        """networkx finds a node in five times as long."""
        return {path: data["node"] for path, data in self.nx.nodes.items()}

    @cached_property
    def _inputs(self) -> Mapping[str, tuple[str, ...]]:
        return {path: data["inputs"] for path, data in self.nx.nodes.items()}

    def node(self, path: str) -> N:
        return self._nodes[path]

    def inputs(self, path: str) -> tuple[str, ...]:
        return self._inputs[path]

    def input_nodes(self, path: str) -> tuple[N, ...]:
        return tuple([self._nodes[source] for source in self._inputs[path]])

    def input_shapes(self, path: str) -> tuple[Shape, ...]:
        return tuple([self._nodes[source].shape for source in self._inputs[path]])

    def readers(self, path: str) -> tuple[str, ...]:
        """Who reads this node's map, each once."""
        return tuple(dict.fromkeys(self.nx.successors(path)))

    def nodes(self) -> Iterator[tuple[N, tuple[str, ...]]]:
        """Each node with the paths of its inputs, in topological order."""
        for path, node in self._nodes.items():
            yield node, self._inputs[path]

    def with_payload(self, kind: type[P]) -> Iterator[tuple[str, P]]:
        for path, node in self._nodes.items():
            if isinstance(node.payload, kind):
                yield path, node.payload

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The network's inputs."""
        return tuple(path for path, _ in self.with_payload(Image))

    @cached_property
    def results(self) -> tuple[str, ...]:
        """The network's outputs, auxiliary ones after the others."""
        found = sorted(self.with_payload(Result), key=lambda pair: pair[1].auxiliary)
        return tuple(path for path, _ in found)

    @cached_property
    def sharing(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes that share weights with others, by the path at which these lie."""
        found: dict[str, list[str]] = {}
        for path, node in self._nodes.items():
            if node.weights is not None:
                found.setdefault(node.weights.spelled, []).append(path)
        return {owner: tuple(nodes) for owner, nodes in found.items() if len(nodes) > 1}

    def shares(self, path: str) -> NodePath | None:
        """Where the weights of a node lie that others have too."""
        weights = self._nodes[path].weights
        return weights if weights is not None and weights.spelled in self.sharing else None

    @cached_property
    def scopes(self) -> ScopeTree:
        """The cells, ops and lines that its nodes stand in."""
        return scope_tree([node.location for node, _ in self.nodes()])

    def region(self, nodes: Iterable[str]) -> Region:
        """Some nodes, in the order of the graph, with the maps that enter and leave: `graph.region(scope.nodes)`."""
        found = tuple(nodes)
        inside = set(found)
        entering = dict.fromkeys(each for path in found for each in self.inputs(path) if each not in inside)
        leaving = tuple(
            path for path in found if not (read := self.readers(path)) or any(reader not in inside for reader in read)
        )
        return Region(found, tuple(entering), leaving)

    def needed_by(self, ends: Iterable[str]) -> frozenset[str]:
        """Everything that these nodes depend on, themselves included."""
        found: set[str] = set()
        for end in ends:
            if end not in found:
                found |= {end, *(source for _, source in nx.bfs_edges(self.nx, end, reverse=True))}
        return frozenset(found)


@dataclass(frozen=True)
class OpenGraph(_Graph[OpenNode]):
    """A space: selects and keeps name questions, and channel counts may be open.

    A count that hangs on another map (`MapChannels`) names that map's node by its path.
    """

    questions: Mapping[QuestionPath, Question] = field(default_factory=dict[QuestionPath, Question])

    @classmethod
    def of(
        cls, name: str, nodes: Iterable[tuple[OpenNode, tuple[str, ...]]], questions: Mapping[QuestionPath, Question]
    ) -> OpenGraph:
        """The graph of `nodes` in topological order, each with the paths of its inputs in their order.

        Raises BrokenGraph where a path is there twice, or an input does not stand before its reader.
        """
        return cls(name, _carrier(nodes), questions)

    @property
    def closed(self) -> Literal[False]:
        return False


@dataclass(frozen=True)
class ClosedGraph(_Graph[ClosedNode]):
    """A network: every payload is `Image`, `Apply` or `Result`, and every channel count a number."""

    @classmethod
    def of(cls, name: str, nodes: Iterable[tuple[ClosedNode, tuple[str, ...]]]) -> ClosedGraph:
        """The graph of `nodes` in topological order, each with the paths of its inputs in their order.

        Raises BrokenGraph where a path is there twice, or an input does not stand before its reader.
        """
        return cls(name, _carrier(nodes))

    @property
    def closed(self) -> Literal[True]:
        return True

    @property
    def questions(self) -> Mapping[QuestionPath, Question]:
        """None is left."""
        return MappingProxyType({})

    def only(self, paths: Set[str]) -> ClosedGraph:
        """The graph of these nodes. Raises BrokenGraph where one of them reads another node."""
        return ClosedGraph.of(self.name, ((node, inputs) for node, inputs in self.nodes() if node.path in paths))


Graph: TypeAlias = "OpenGraph | ClosedGraph"
"""Either, for what lists, compares and draws both."""


def _carrier(nodes: Iterable[tuple[N, tuple[str, ...]]]) -> nx.MultiDiGraph[str]:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node, inputs in nodes:
        path = node.path
        if path in graph:
            raise BrokenGraph(f"two nodes have the path `{path}`")
        for source in inputs:
            if source not in graph:
                raise BrokenGraph(f"`{path}` reads `{source}`, which does not stand before it")
        graph.add_node(path, node=node, inputs=inputs)
        for position, source in enumerate(inputs):
            graph.add_edge(source, path, key=position)
    return graph
