"""A float32 ONNX model as float16, with float32 at its inputs and outputs.

TensorRT networks are strongly typed, so the precision has to be in the graph. Every float32 tensor becomes float16,
except a resize's region and scales, which ONNX and TensorRT read as float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from archdsl.backends.failures import TargetFailed
from archdsl.backends.onnx.check import check

_STAYS_FLOAT32 = {"Resize": (1, 2)}
"""Inputs by position that no operator takes as float16."""


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in float16; names of inputs, outputs and inner maps stay.

    Raises TargetFailed where a weight is beyond what float16 can hold, where a node has a graph inside it, or where
    a resize's scales are computed.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    _refuse_subgraphs(graph)
    kept = _kept_names(graph)
    inputs = {value.name for value in graph.input if _is_float(value)}
    outputs = {value.name for value in graph.output if _is_float(value)}
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    if computed := sorted(kept - constants - inputs):
        raise TargetFailed(f"the scales `{computed[0]}` are computed, and fp16 needs them to be constant")
    _convert_initializers(graph, kept)
    names = {name: f"{name}_fp16" for name in inputs | outputs}
    nodes = list(graph.node)
    for node in nodes:
        _convert_node(node, names, kept)
    casts_in = [_cast(name, names[name], TensorProto.FLOAT16) for name in _ordered(graph.input, inputs)]
    casts_out = [_cast(names[name], name, TensorProto.FLOAT) for name in _ordered(graph.output, outputs)]
    del graph.node[:]
    graph.node.extend([*casts_in, *nodes, *casts_out])
    for value in graph.value_info:
        if _is_float(value) and value.name not in kept:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    check(half)
    return half


def _refuse_subgraphs(graph: onnx.GraphProto) -> None:
    for node in graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise TargetFailed(f"`{node.name}` ({node.op_type}) has a graph inside it, which fp16 does not reach")


def _kept_names(graph: onnx.GraphProto) -> set[str]:
    return {
        node.input[position]
        for node in graph.node
        for position in _STAYS_FLOAT32.get(node.op_type, ())
        if position < len(node.input) and node.input[position]
    }


def _convert_initializers(graph: onnx.GraphProto, kept: set[str]) -> None:
    """A tensor that is read both as a weight and as scales is there twice afterwards."""
    shared = kept & set(_read_as_half(graph))
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        if tensor.name in shared:
            raise TargetFailed(f"`{tensor.name}` is both the scales of a resize and a weight")
        if tensor.name not in kept:
            tensor.CopyFrom(_half_tensor(tensor, tensor.name))


def _read_as_half(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        skipped = _STAYS_FLOAT32.get(node.op_type, ())
        yield from (name for position, name in enumerate(node.input) if position not in skipped)


def _half_tensor(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    exact = numpy_helper.to_array(tensor)
    largest = float(np.abs(exact).max(initial=0))
    if not largest <= float(np.finfo(np.float16).max):
        raise TargetFailed(f"the weight `{name}` holds {largest:g}, beyond the 65504 that fp16 can hold")
    return numpy_helper.from_array(exact.astype(np.float16), tensor.name)


def _convert_node(node: onnx.NodeProto, names: dict[str, str], kept: set[str]) -> None:
    skipped = _STAYS_FLOAT32.get(node.op_type, ())
    for position, name in enumerate(node.input):
        if position not in skipped:
            node.input[position] = names.get(name, name)
    for position, name in enumerate(node.output):
        node.output[position] = names.get(name, name)
    if kept.intersection(node.output):
        return
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        if attribute.HasField("t") and attribute.t.data_type == TensorProto.FLOAT:
            attribute.t.CopyFrom(_half_tensor(attribute.t, node.name))


def _cast(source: str, target: str, to: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"{target}_cast", to=to)


def _is_float(value: onnx.ValueInfoProto) -> bool:
    return value.type.tensor_type.elem_type == TensorProto.FLOAT


def _ordered(values: Iterable[onnx.ValueInfoProto], names: set[str]) -> list[str]:
    return [value.name for value in values if value.name in names]
