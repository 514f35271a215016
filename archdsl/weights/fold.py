"""Batch norm made part of the layer before it, for inference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import ClosedGraph, ClosedNode, tensor_name, verify
from archdsl.ops import Traits
from archdsl.ops.attributes import flag, fraction
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply
from archdsl.weights.mismatch import Tensors
from archdsl.weights.specification import node_weights, specification
from archdsl.weights.stored import BrokenWeights

Array = NDArray[np.floating]


def fold_batch_norm(graph: ClosedGraph, weights: Tensors) -> tuple[ClosedGraph, dict[str, Array]]:
    """A closed graph in which a bn that alone reads a conv, dwconv or linear is part of it.

    The layer keeps its path and has a bias afterwards; the bn's path is gone. A bn after anything else, or after a
    layer that others read too, stays. Tensors that the graph does not own are left out. The arithmetic is in float64
    and the result has the dtype of the weights. Raises KeyError where a tensor is missing, BrokenWeights where a layer
    that its bn became part of has numbers beyond that dtype.
    """
    verify(graph)
    nodes = {path: graph.node(path) for path in graph}
    tensors: dict[str, Array] = {name: weights[name] for name in specification(graph)}
    layers: dict[str, str] = {}
    for path in graph:
        if (layer := _layer_before(graph, path, layers)) is not None:
            bn = nodes.pop(path)
            layers[path] = layer
            axis = next(each.axis for each in node_weights(graph, layer).values() if each.name == "weight")
            tensors = _folded(tensors, nodes[layer], bn, axis)
            nodes[layer] = _with_bias(nodes[layer])
    kept = [(node, tuple(layers.get(source, source) for source in graph.inputs(path))) for path, node in nodes.items()]
    return verify(ClosedGraph.of(graph.name, kept)), tensors


def _layer_before(graph: ClosedGraph, path: str, layers: dict[str, str]) -> str | None:
    """The layer that this node folds into, if it is a bn and there is one; `layers` are those of bns before it."""
    if not _traits(graph.node(path)).batch_norm:
        return None
    (source,) = graph.inputs(path)
    if graph.readers(source) != (path,):
        return None
    layer = layers.get(source, source)
    return layer if _traits(graph.node(layer)).absorbs_batch_norm else None


def _traits(node: ClosedNode) -> Traits:
    return PRIMITIVES[node.payload.primitive].traits if isinstance(node.payload, Apply) else Traits()


def _with_bias(layer: ClosedNode) -> ClosedNode:
    payload = layer.payload
    assert isinstance(payload, Apply)
    attributes = tuple((name, True if name == "bias" else value) for name, value in payload.attributes)
    return replace(layer, payload=replace(payload, attributes=attributes))


def _scaled(weight: Array, gain: Array, axis: int) -> Array:
    """Each output channel by its gain; behind the first axis they are those of one group, whose maps stand there."""
    if axis == 0:
        return weight * gain.reshape(-1, *(1 for _ in weight.shape[1:]))
    groups = len(gain) // weight.shape[axis]
    grouped = weight.reshape(groups, -1, *weight.shape[1:])
    return (grouped * gain.reshape(groups, 1, -1, *(1 for _ in weight.shape[2:]))).reshape(weight.shape)


def _folded(tensors: dict[str, Array], layer: ClosedNode, bn: ClosedNode, axis: int) -> dict[str, Array]:
    """y = gain * (w x + b - mean) + shift, with gain = weight / sqrt(var + eps) for each output channel."""
    assert isinstance(bn.payload, Apply)
    rest = dict(tensors)
    own = {kind: tensor_name(bn, kind) for kind in ("weight", "bias", "running_mean", "running_var")}
    weight_name, bias_name = tensor_name(layer, "weight"), tensor_name(layer, "bias")
    weight = rest[weight_name]
    mean = rest.pop(own["running_mean"]).astype(np.float64)
    variance = rest.pop(own["running_var"]).astype(np.float64)
    shift: Array = np.zeros_like(mean)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        gain = 1 / np.sqrt(variance + float(fraction(bn.payload.attribute, "eps")))
        if flag(bn.payload.attribute, "affine"):
            gain = gain * rest.pop(own["weight"])
            shift = rest.pop(own["bias"])
        bias = rest.get(bias_name, np.zeros_like(mean))
        rest[weight_name] = _scaled(weight, gain, axis).astype(weight.dtype)
        rest[bias_name] = (gain * (bias - mean) + shift).astype(weight.dtype)
    if not (np.isfinite(rest[weight_name]).all() and np.isfinite(rest[bias_name]).all()):
        raise BrokenWeights(
            f"`{weight_name}` has infinite values with `{bn.path}` folded into it: take weights that were saved before "
            "the training diverged"
        )
    return rest
