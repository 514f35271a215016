"""What is read of an ONNX model: maps, and the primitives that nodes become."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference

from archdsl.exchange.errors import NotImported
from archdsl.exchange.onnx.patterns import with_gelu
from archdsl.exchange.source import Source

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Map:
    """A value that becomes a map: its channels and sides; of a vector 1x1."""

    channels: int
    height: int
    width: int

    @property
    def sides(self) -> str:
        return f"{self.height}x{self.width}"


@dataclass(slots=True)
class Step:
    """A primitive that is called."""

    call: str
    maps: list[str]
    """The values that it reads: one for a step of a pipe, all of a join."""
    value: str
    """The one that it writes."""
    module: str
    """What it is named after."""
    tensors: dict[str, Array] = field(default_factory=dict[str, Array])
    join: bool = False


class Reader:
    """Goes through the nodes, which stand in an order in which each reads earlier ones."""

    def __init__(self, source: Source, model: onnx.ModelProto) -> None:
        self.source = source
        graph = model.graph
        self.constants: dict[str, Array] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self.inputs = [each for each in graph.input if each.name not in self.constants]
        self.outputs = [each.name for each in graph.output]
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = self._constant(node)
        self.nodes = with_gelu([node for node in graph.node if node.op_type != "Constant"], self.constants)
        self.readers = Counter(name for node in self.nodes for name in node.input) + Counter(self.outputs)
        self.same: dict[str, str] = {}
        """Values that are others by another name."""
        self.maps: dict[str, Map] = {}
        self.written: dict[str, onnx.NodeProto] = {name: node for node in self.nodes for name in node.output}
        self.sizes = _sizes(model)
        for each in self.inputs:
            self.maps[each.name] = self._image(each)

    def _image(self, given: onnx.ValueInfoProto) -> Map:
        match self.sizes.get(given.name):
            case (_, int(channels), int(height), int(width)):
                return Map(channels, height, width)
            case _:
                raise self.source.unfit(
                    f"the input `{given.name}` has no fixed channels, height and width: export it with a fixed size"
                )

    def unfit(self, node: onnx.NodeProto, what: str) -> NotImported:
        return self.source.unfit(what, field=f"{node.name or node.output[0]} ({node.op_type})")

    def value(self, name: str) -> str:
        return self.same.get(name, name)

    def map(self, node: onnx.NodeProto, at: int = 0) -> Map:
        """The map that a node reads. Raises NotImported where it is none."""
        name = self.value(node.input[at])
        if name not in self.maps:
            raise self.unfit(node, f"`{name}` is no map of the network")
        return self.maps[name]

    def constant(self, node: onnx.NodeProto, at: int) -> Array | None:
        """A constant input; None where it is left out. Raises NotImported where it is computed."""
        if at >= len(node.input) or not node.input[at]:
            return None
        name = self.value(node.input[at])
        if name not in self.constants:
            raise self.unfit(node, f"`{name}` is computed, and has to be a constant here")
        return self.constants[name]

    def weight(self, node: onnx.NodeProto, at: int) -> Array:
        found = self.constant(node, at)
        if found is None:
            raise self.unfit(node, f"its input {at} is missing")
        return found.astype(np.float32)

    def step(
        self,
        node: onnx.NodeProto,
        call: str,
        shape: Map,
        *,
        maps: Sequence[str] | None = None,
        tensors: Mapping[str, Array] | None = None,
        join: bool = False,
        owner: str = "",
        value: str = "",
    ) -> Step:
        value = value or node.output[0]
        self.maps[value] = shape
        read = [self.value(name) for name in (maps or node.input[:1])]
        return Step(call, read, value, _module(node, owner), dict(tensors or {}), join)

    def _constant(self, node: onnx.NodeProto) -> Array:
        for attribute in node.attribute:
            if attribute.name == "value":
                return numpy_helper.to_array(attribute.t)
            if attribute.name in ("value_float", "value_int", "value_floats", "value_ints"):
                return np.array(helper.get_attribute_value(attribute))
        raise self.unfit(node, "holds no numbers")


def _sizes(model: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """The sizes of values as far as they are known."""
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # noqa: BLE001 - the checker's own; what stays unknown is asked for where it is needed
        inferred = model
    graph = inferred.graph
    return {
        each.name: tuple(side.dim_value or None for side in each.type.tensor_type.shape.dim)
        for each in (*graph.input, *graph.value_info, *graph.output)
    }


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _module(node: onnx.NodeProto, owner: str) -> str:
    """`layer1.0.conv1` of the weight `layer1.0.conv1.weight`, else of the node `/layer1/layer1.0/conv1/Conv`."""
    if owner and not owner.startswith(("onnx::", "val_", "/")) and not owner.isdigit():
        return owner.rpartition(".")[0] or owner
    parts = [part for part in re.split(r"[/]", node.name) if part]
    if parts and re.fullmatch(rf"{re.escape(node.op_type)}(_\d+)?", parts[-1]):
        parts = parts[:-1]
    kept = [part for at, part in enumerate(parts) if at + 1 == len(parts) or not parts[at + 1].startswith(f"{part}.")]
    return ".".join(kept) or node.op_type.lower()
