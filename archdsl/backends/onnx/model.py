"""A closed graph as an ONNX model, written from the IR without torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import onnx
from onnx import TensorProto, helper

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.primitives import emit
from archdsl.backends.onnx.sizes import Call
from archdsl.ir import ClosedGraph, for_inference, tensor_name, vector_outputs
from archdsl.ops import Shape
from archdsl.ops.bind import bind
from archdsl.ops.primitives import PRIMITIVES
from archdsl.ops.resampling import RESIZE
from archdsl.space import Apply, Image, Result
from archdsl.weights import Tensors, fold_batch_norm
from archdsl.weights.specification import closed_count, specification

OPSET = 20
IR_VERSION = 9
"""The one that opset 20 came with: read by every runtime that knows the opset."""


def to_onnx(
    graph: ClosedGraph,
    weights: Tensors,
    *,
    labels: bool = False,
    metadata: Mapping[str, str] | None = None,
    batch: int = 1,
    dynamic: bool = False,
) -> onnx.ModelProto:
    """The main outputs of a closed graph, with batch norm folded, in float32.

    Input and outputs have the names of the text; a node's name is its path in the IR, an initializer's its name in a
    state dict. An input is Nx3xHxW with N = `batch` and the graph's own H and W, or open ones where `dynamic`.

    An output that is a vector (`archdsl.ir.vectors`) is NxC, any other NxCxHxW.

    With `labels` each output is the number of the largest channel, N×H×W at the size of the image (a smaller map is
    first resized, bilinear with half pixels; a 1x1 map is not), of a vector N.

    Labels are int32: ArgMax gives int64 and nothing
    smaller, and at 1024x2048 that is 16 MiB to copy out for each image where 8 do.

    Raises KeyError where a weight is missing.
    """
    graph, folded = fold_batch_norm(for_inference(graph), weights)
    body = Body()
    for name in specification(graph):
        body.tensor(name, folded[name])
    writer = _Writer(graph, body, batch=batch, dynamic=dynamic)
    writer.write_maps()
    outputs = [writer.output(path, labels=labels) for path in graph.results]
    inputs = [writer.input(path) for path in graph.images]
    written = helper.make_graph(body.nodes, graph.name, inputs, outputs, list(body.initializers.values()))
    model = helper.make_model(
        written, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="archdsl"
    )
    helper.set_model_props(model, dict(metadata or {}))
    return model


class _Writer:
    """Knows which value holds which map of the graph."""

    def __init__(self, graph: ClosedGraph, body: Body, *, batch: int, dynamic: bool) -> None:
        self.graph = graph
        self.body = body
        self.batch = batch
        self.dynamic = dynamic
        self.values: dict[str, str] = {path: image.name for path, image in graph.with_payload(Image)}
        self.types: dict[str, int] = dict.fromkeys(self.values, TensorProto.FLOAT)
        self.vectors = vector_outputs(graph)

    def write_maps(self) -> None:
        for path, payload in self.graph.with_payload(Apply):
            node, inputs = self.graph.node(path), self.graph.inputs(path)
            call = Call(
                path=path,
                primitive=payload.primitive,
                attributes=payload.attribute,
                inputs=tuple(self.values[source] for source in inputs),
                maps=self.graph.input_shapes(path),
                result=node.shape,
                batch=self.batch,
                dynamic=self.dynamic,
                tensor=partial(tensor_name, node),
            )
            self.values[path] = emit(self.body, call)
            self.types[path] = (
                TensorProto.INT64 if PRIMITIVES[payload.primitive].traits.index else self.types[inputs[0]]
            )

    def input(self, path: str) -> onnx.ValueInfoProto:
        shape = self.graph.node(path).shape
        lengths: list[int | str] = ["height", "width"] if self.dynamic else [shape.height, shape.width]
        return helper.make_tensor_value_info(
            self.values[path], TensorProto.FLOAT, [self.batch, closed_count(shape.channels, path), *lengths]
        )

    def output(self, path: str, *, labels: bool) -> onnx.ValueInfoProto:
        payload = self.graph.node(path).payload
        assert isinstance(payload, Result)
        (source,) = self.graph.inputs(path)
        shape, name, vector = self.graph.node(source).shape, payload.name, payload.name in self.vectors
        self._free(name, but="" if vector else source)
        if labels:
            shape = self._labels(name, source)
            lengths = [] if vector else self._lengths(name, shape)
            return helper.make_tensor_value_info(name, TensorProto.INT32, [self.batch, *lengths])
        channels = closed_count(shape.channels, path)
        if vector:
            self.body.node("Flatten", [self.values[source]], name, axis=1)
            return helper.make_tensor_value_info(name, self.types[source], [self.batch, channels])
        self._name(name, source)
        dimensions = [self.batch, channels, *self._lengths(name, shape)]
        return helper.make_tensor_value_info(name, self.types[source], dimensions)

    def _lengths(self, name: str, shape: Shape) -> list[int | str]:
        if not self.dynamic:
            return [shape.height, shape.width]
        image = self.graph.node(self.graph.images[0]).shape
        if (shape.height, shape.width) == (image.height, image.width):
            return ["height", "width"]
        return [f"{name}_height", f"{name}_width"]

    def _free(self, name: str, *, but: str) -> None:
        """Takes the name of an output from any other map that has it."""
        for path, value in self.values.items():
            if value == name and path != but:
                self.body.rename(name, f"{name}/map")
                self.values[path] = f"{name}/map"

    def _name(self, name: str, source: str) -> None:
        value = self.values[source]
        written = any(value in node.output for node in self.body.nodes)
        taken = value in (payload.name for _, payload in self.graph.with_payload(Result))
        if written and not taken:
            self.body.rename(value, name)
            self.values = {path: name if old == value else old for path, old in self.values.items()}
        elif value != name:
            self.body.node("Identity", [value], name)

    def _labels(self, name: str, source: str) -> Shape:
        """Adds what makes labels of a map; gives the shape of the map of labels."""
        body, value, shape = self.body, self.values[source], self.graph.node(source).shape
        if name in self.vectors:
            value = body.node("Flatten", [value], f"{name}/vector", axis=1)
        if self.types[source] == TensorProto.INT64:
            axis = body.integers(f"{name}/channel_axis", [1])
            numbers = body.node("Squeeze", [value, axis], f"{name}/squeeze")
            body.node("Cast", [numbers], name, to=TensorProto.INT32)
            return shape
        image = self.graph.images[0]
        target = self.graph.node(image).shape
        if (shape.height, shape.width) not in {(1, 1), (target.height, target.width)}:
            call = Call(
                path=f"{name}/resize",
                primitive=RESIZE.name,
                attributes=dict(bind(RESIZE, {})),
                inputs=(value, self.values[image]),
                maps=(shape, target),
                result=Shape(shape.channels, target.height, target.width),
                batch=self.batch,
                dynamic=self.dynamic,
                tensor=str,
            )
            value, shape = emit(body, call), call.result
        numbers = body.node("ArgMax", [value], f"{name}/argmax", axis=1, keepdims=0)
        body.node("Cast", [numbers], name, to=TensorProto.INT32)
        return shape
