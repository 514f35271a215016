"""A typed wrapper over a networkx multigraph; the only importer of networkx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import networkx as nx

from archdsl.ops import Shape
from archdsl.space import Apply, Frame, Image, Payload, Question, Result

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Node:
    """What a node is. Its inputs are the graph's edges."""

    frames: tuple[Frame, ...]
    local: str
    payload: Payload
    shape: Shape
    """Channels, height, width of its map at the graph's input size."""
    branches: tuple[str, ...] = ()
    """The branches that compute it; empty where no branch is involved."""

    @property
    def path(self) -> str:
        return ".".join([*(frame.name for frame in self.frames), self.local])


@dataclass(frozen=True)
class Graph:
    """Nodes by path, with ordered inputs.

    Closed when no question is left: every payload is then `Image`, `Apply` or `Result`, and every channel count a
    number. A graph is a value: passes return new ones.
    """

    name: str
    nx: nx.MultiDiGraph[str] = field(repr=False)
    questions: Mapping[str, Question] = field(default_factory=dict[str, Question])

    @classmethod
    def of(
        cls,
        name: str,
        nodes: Iterable[tuple[Node, tuple[str, ...]]],
        questions: Mapping[str, Question] | None = None,
    ) -> Graph:
        """The graph of `nodes` in topological order, each with the paths of its inputs in their order."""
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for node, inputs in nodes:
            path = node.path
            graph.add_node(path, node=node, inputs=inputs)
            for position, source in enumerate(inputs):
                graph.add_edge(source, path, key=position)
        return cls(name, graph, questions or {})

    def __len__(self) -> int:
        return len(self.nx)

    def __contains__(self, path: str) -> bool:
        return path in self.nx

    def __iter__(self) -> Iterator[str]:
        """Paths in topological order, the same on every run."""
        return iter(self.nx)

    def node(self, path: str) -> Node:
        return self.nx.nodes[path]["node"]

    def inputs(self, path: str) -> tuple[str, ...]:
        return self.nx.nodes[path]["inputs"]

    def input_nodes(self, path: str) -> tuple[Node, ...]:
        return tuple(self.node(source) for source in self.inputs(path))

    def input_shapes(self, path: str) -> tuple[Shape, ...]:
        return tuple(self.node(source).shape for source in self.inputs(path))

    def readers(self, path: str) -> tuple[str, ...]:
        """Who reads this node's map, each once."""
        return tuple(dict.fromkeys(self.nx.successors(path)))

    def nodes(self) -> Iterator[tuple[Node, tuple[str, ...]]]:
        """Each node with the paths of its inputs, in topological order."""
        for path in self.nx:
            yield self.node(path), self.inputs(path)

    def with_payload(self, kind: type[P]) -> Iterator[tuple[str, P]]:
        for path in self.nx:
            payload = self.node(path).payload
            if isinstance(payload, kind):
                yield path, payload

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
    def closed(self) -> bool:
        return all(isinstance(node.payload, Image | Apply | Result) for node, _ in self.nodes())
