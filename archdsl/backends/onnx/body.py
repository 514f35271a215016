"""The nodes and tensors of an ONNX graph while it is being written."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


class Body:
    """Grows by one node or tensor at a time; values are known by name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def node(self, op: str, inputs: list[str], name: str, **attributes: float | str | list[int]) -> str:
        """Adds a node that writes one value, named as the node is; an empty input is one that is left out."""
        node = helper.make_node(op, inputs, [name], name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def tensor(self, name: str, array: NDArray[np.generic]) -> str:
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def integers(self, name: str, numbers: list[int]) -> str:
        return self.tensor(name, np.array(numbers, np.int64))

    def rename(self, value: str, new: str) -> None:
        """Gives a value another name wherever it is written or read; its node keeps its own."""
        for node in self.nodes:
            node.input[:] = [new if name == value else name for name in node.input]
            node.output[:] = [new if name == value else name for name in node.output]
