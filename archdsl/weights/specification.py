"""Which tensors a closed graph has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from archdsl.ir import ClosedGraph, for_inference, tensor_name
from archdsl.ops import Count, Role, Weight
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor's shape, in torch's order of axes, and what it is for."""

    shape: tuple[int, ...]
    trained: bool = True
    """Whether training changes it by gradient."""
    variance: bool = False
    """Whether it holds variances, which are not negative."""


def node_weights(graph: ClosedGraph, path: str) -> Mapping[str, Weight]:
    """The tensors of one node by their names in a state dict."""
    node = graph.node(path)
    if not isinstance(node.payload, Apply):
        return {}
    rule = PRIMITIVES[node.payload.primitive].weights
    return {tensor_name(node, weight.name): weight for weight in rule(graph.input_shapes(path), node.payload.attribute)}


def specification(graph: ClosedGraph) -> dict[str, Spec]:
    """Every tensor of a closed graph by its name in a state dict, in the graph's order.

    Raises ValueError for a graph that still has questions.
    """
    return {
        name: Spec(
            tuple(closed_count(count, name) for count in weight.shape), weight.trained, weight.role is Role.VARIANCE
        )
        for path in graph
        for name, weight in node_weights(graph, path).items()
    }


def wanted_of(graph: ClosedGraph, found: Collection[str]) -> dict[str, Spec]:
    """The tensors that weights with these names have to have for a closed graph.

    All of them; where none of those is there that only auxiliary outputs need, the others.
    """
    every, main = specification(graph), specification(for_inference(graph))
    auxiliary = every.keys() - main.keys()
    return main if auxiliary.isdisjoint(found) else every


def closed_count(count: Count, what: str) -> int:
    """The count as a number. Raises ValueError where answers still decide it."""
    if isinstance(count, int):
        return count
    raise ValueError(f"the channels of `{what}` are {count}, which answers have to decide first")
