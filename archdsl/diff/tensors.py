"""Whether the weights of one network fit the other: tensors by their names in a state dict."""

from __future__ import annotations

from archdsl.diff.model import Weights
from archdsl.ir import ClosedGraph, tensor_name
from archdsl.ops import Count
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply


def compare_tensors(before: ClosedGraph, after: ClosedGraph) -> Weights:
    """Tensors that keep name and shape, that change shape, that are new, and that are gone."""
    old, new = tensors(before), tensors(after)
    kept = tuple(name for name, shape in new.items() if old.get(name) == shape)
    reshaped = tuple(name for name, shape in new.items() if name in old and old[name] != shape)
    added = tuple(name for name in new if name not in old)
    return Weights(kept, reshaped, added, tuple(name for name in old if name not in new))


def tensors(graph: ClosedGraph) -> dict[str, tuple[Count, ...]]:
    """The shape of every tensor by its name, running statistics among them."""
    return {
        tensor_name(node, weight.name): weight.shape
        for node, _ in graph.nodes()
        if isinstance(node.payload, Apply)
        for weight in PRIMITIVES[node.payload.primitive].weights(graph.input_shapes(node.path), node.payload.attribute)
    }
