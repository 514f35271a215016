"""Batch norm made part of the layer before it, for inference."""

from __future__ import annotations

from collections import Counter
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
    layer that others read too, stays, and so does one after a layer that shares its weights with places where the bn is
    another. Tensors that the graph does not own are left out. The arithmetic is in float64 and the result has the dtype
    of the weights. Raises KeyError where a tensor is missing, BrokenWeights where a layer that its bn became part of
    has numbers beyond that dtype.
    """
    verify(graph)
    nodes = {path: graph.node(path) for path in graph}
    tensors: dict[str, Array] = {name: weights[name] for name in specification(graph)}
    foldable = _foldable(graph)
    layers: dict[str, str] = {}
    folded: set[tuple[str, int]] = set()
    rows: Counter[str] = Counter()
    for path in graph:
        if (layer := _layer_before(graph, path, layers)) is None or path not in foldable:
            continue
        bn = nodes.pop(path)
        layers[path] = layer
        rows[layer] += 1
        once = _owner(nodes[layer]), rows[layer]
        if once not in folded:
            axis = next(each.axis for each in node_weights(graph, layer).values() if each.name == "weight")
            tensors = _folded(tensors, nodes[layer], bn, axis)
            folded.add(once)
        nodes[layer] = _with_bias(nodes[layer])
    kept = [(node, tuple(layers.get(source, source) for source in graph.inputs(path))) for path, node in nodes.items()]
    made = verify(ClosedGraph.of(graph.name, kept))
    return made, {name: tensors[name] for name in specification(made)}


def _foldable(graph: ClosedGraph) -> frozenset[str]:
    """The bns that can become part of the layers before them: at all places of a layer the same bn."""
    behind: dict[str, list[tuple[str, ...]]] = {}
    """For each layer by its weights the bns behind each of its places, of which the last folds in last."""
    found: dict[str, str] = {}
    rows: dict[str, list[str]] = {}
    for path in graph:
        if (layer := _layer_before(graph, path, found)) is not None:
            found[path] = layer
            rows.setdefault(layer, []).append(path)
    for path in graph:
        if _traits(graph.node(path)).absorbs_batch_norm:
            own = tuple(_owner(graph.node(bn)) for bn in rows.get(path, ()))
            behind.setdefault(_owner(graph.node(path)), []).append(own)
    return frozenset(
        bn
        for path, bns in rows.items()
        for position, bn in enumerate(bns)
        if len({own[: position + 1] for own in behind[_owner(graph.node(path))]}) == 1
    )


def _owner(node: ClosedNode) -> str:
    """The path at which its weights lie."""
    return (node.weights or node.location).spelled


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
    mean = rest[own["running_mean"]].astype(np.float64)
    variance = rest[own["running_var"]].astype(np.float64)
    shift: Array = np.zeros_like(mean)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        gain = 1 / np.sqrt(variance + float(fraction(bn.payload.attribute, "eps")))
        if flag(bn.payload.attribute, "affine"):
            gain = gain * rest[own["weight"]]
            shift = rest[own["bias"]]
        bias = rest.get(bias_name, np.zeros_like(mean))
        rest[weight_name] = _scaled(weight, gain, axis).astype(weight.dtype)
        rest[bias_name] = (gain * (bias - mean) + shift).astype(weight.dtype)
    if not (np.isfinite(rest[weight_name]).all() and np.isfinite(rest[bias_name]).all()):
        raise BrokenWeights(
            f"`{weight_name}` has infinite values with `{bn.path}` folded into it: take weights that were saved before "
            "the training diverged"
        )
    return rest
