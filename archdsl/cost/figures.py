"""Exact figures of a closed graph, from the rules of the primitives: parameters, multiply-adds, activations, shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from archdsl.ir import ClosedGraph, ClosedNode, for_inference
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """One node: trained parameters, multiply-adds for one image, and its map."""

    path: str
    op: str
    params: int
    macs: int
    shape: Shape
    cell: str
    branches: tuple[str, ...]

    @property
    def activations(self) -> int:
        """The numbers in its map, for one image."""
        return _number(self.shape.channels) * self.shape.height * self.shape.width


@dataclass(frozen=True, slots=True)
class Sum:
    """What belongs together, under a name."""

    name: str
    params: int
    macs: int
    activations: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A whole network at the size of its image."""

    name: str
    image: Shape
    nodes: tuple[NodeFigures, ...]
    params: int
    """Trained parameters at inference."""
    params_training: int
    """With the auxiliary heads that are only trained with."""
    macs: int
    """Multiply-adds at inference, for one image, those of `matmul` too. The papers call them FLOPs."""

    @property
    def macs_of_layers(self) -> int:
        """Those of conv and linear, layers with weights, which is what counters of layers find."""
        return sum(node.macs for node in self._layers())

    @property
    def activations(self) -> int:
        """The numbers that all primitives write at inference, for one image."""
        return sum(node.activations for node in self.nodes)

    @property
    def activations_of_layers(self) -> int:
        """Those that conv and linear write, as papers count them (Radosavovic et al., CVPR 2020)."""
        return sum(node.activations for node in self._layers())

    def _layers(self) -> Iterator[NodeFigures]:
        return (node for node in self.nodes if PRIMITIVES[node.op].is_layer)

    def cells(self) -> tuple[Sum, ...]:
        """By cell, in the order of the network; what stands in no cell by its line."""
        return _grouped(self.nodes, lambda node: node.cell)

    def branches(self) -> tuple[Sum, ...]:
        """By who computes it: one branch alone, or several together."""
        owned = [node for node in self.nodes if node.branches]
        return _grouped(owned, lambda node: " and ".join(node.branches))


def figures(graph: ClosedGraph) -> Figures:
    """The figures of a closed graph."""
    inference = for_inference(graph)
    nodes = tuple(_nodes(inference))
    training = sum(params for _, params, _ in _counts(graph))
    image = graph.node(graph.images[0]).shape
    params, macs = sum(node.params for node in nodes), sum(node.macs for node in nodes)
    return Figures(graph.name, image, nodes, params, training, macs)


def cell_name(graph: ClosedGraph, node: str) -> str:
    """The outermost cell that a node stands in; else its line, or the node itself."""
    part = graph.scopes.part_of(node)
    return part.path if part else node


def _nodes(graph: ClosedGraph) -> Iterator[NodeFigures]:
    for node, params, macs in _counts(graph):
        assert isinstance(node.payload, Apply)
        op, cell = node.payload.primitive, cell_name(graph, node.path)
        yield NodeFigures(node.path, op, params, macs, node.shape, cell, node.branches)


def _counts(graph: ClosedGraph) -> Iterator[tuple[ClosedNode, int, int]]:
    """Each primitive with its parameters and multiply-adds; parameters that places share are those of the first."""
    seen: set[str] = set()
    for node, _ in graph.nodes():
        if not isinstance(node.payload, Apply):
            continue
        primitive, attributes = PRIMITIVES[node.payload.primitive], dict(node.payload.attributes)
        shapes = graph.input_shapes(node.path)
        weights = primitive.weights(shapes, attributes)
        params = sum(prod(_number(length) for length in weight.shape) for weight in weights if weight.trained)
        if node.weights is not None:
            params = 0 if node.weights.spelled in seen else params
            seen.add(node.weights.spelled)
        yield node, params, _number(primitive.macs(shapes, node.shape, attributes))


def _number(count: object) -> int:
    if not isinstance(count, int):
        raise TypeError(f"{count} is still open: figures are those of a closed graph")
    return count


def _grouped(nodes: tuple[NodeFigures, ...] | list[NodeFigures], key: Callable[[NodeFigures], str]) -> tuple[Sum, ...]:
    sums: dict[str, Sum] = {}
    for node in nodes:
        name = key(node)
        before = sums.get(name, Sum(name, 0, 0, 0, 0))
        sums[name] = Sum(
            name,
            before.params + node.params,
            before.macs + node.macs,
            before.activations + node.activations,
            before.nodes + 1,
        )
    return tuple(sums.values())
