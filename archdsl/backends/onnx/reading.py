"""A stranger's ONNX model, looked at before a runtime gets it.

A runtime computes what is constant while it opens a model, whatever its size, follows paths to other files, and unfolds
functions within functions; and it runs on NaN as on any number. What our own models do not have is refused here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from archdsl.backends.failures import UnreadableModel
from archdsl.weights.stored import BrokenWeights

LARGEST_FILE: Final = 2 << 30
"""In bytes, as protobuf has it."""
LARGEST_MAP: Final = 2 << 30
"""In bytes: 64 channels at 2048x4096 in float32."""
LARGEST_CONSTANTS: Final = 1 << 30
"""In bytes, of all maps together in which no image has a part: a runtime computes and keeps them."""
_FLOATS: Final = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}
_TYPES: Final = frozenset(helper.get_all_tensor_dtypes())
_SMALL: Final = 1024
"""Numbers of a tensor that can be a shape: larger ones are left out where shapes are inferred."""
_VARIANCE: Final = 4
"""The place of the variances among the inputs of a BatchNormalization."""


def read_model(data: bytes, written: str) -> onnx.ModelProto:
    """The model of a file's content; `written` is what messages call the file.

    Raises UnreadableModel, and BrokenWeights for weights that are NaN, infinite or negative variances.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableModel(f"`{written}` is larger than {_gib(LARGEST_FILE)}, the most that an ONNX file can hold")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own, which derive from nothing narrower
        raise UnreadableModel(f"`{written}` is no ONNX model, or is cut off") from error
    with texts_read(written):
        _check(model, written)
    return model


@contextmanager
def texts_read(written: str) -> Generator[None]:
    """Raises UnreadableModel for a text in a model that is no UTF-8, which is found where it is looked at."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise UnreadableModel(f"`{written}` is damaged: a name in it is no UTF-8") from error


def _check(model: onnx.ModelProto, written: str) -> None:
    graph = model.graph
    if not graph.input or not graph.output:
        raise UnreadableModel(f"`{written}` is no ONNX model of a network: it has no input or no output")
    if model.functions:
        raise UnreadableModel(
            f"`{written}` defines the operator `{model.functions[0].name}`: save it with functions inlined"
        )
    for node in graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise UnreadableModel(
                f"`{written}`: the node `{node.name}` ({node.op_type}) has a graph inside it, and no network here has "
                "one: save it without loops and conditions"
            )
    if graph.sparse_initializer:
        raise UnreadableModel(f"`{written}` has sparse tensors: save it with dense ones")
    variances = {node.input[_VARIANCE] for node in graph.node if _is_norm(node)}
    for tensor, where in _tensors(graph):
        _check_tensor(tensor, written, where, variance=tensor.name in variances)
    check_sizes(without_numbers(model), written, {})


def check_sizes(model: onnx.ModelProto, written: str, shapes: Mapping[str, Sequence[int]]) -> None:
    """Raises UnreadableModel for maps that are larger than those of networks, on images of these shapes."""
    inferred = _inferred(model, written, shapes)
    sizes = {value.name: _bytes(value) for value in (*inferred.graph.value_info, *inferred.graph.output)}
    for name, size in sizes.items():
        if size > LARGEST_MAP:
            raise UnreadableModel(f"`{written}`: `{name}` takes {_gib(size)}, more than any map of a network needs")
    constant = _constants(model.graph)
    size = sum(sizes.get(name, 0) for name in constant)
    if size > LARGEST_CONSTANTS:
        raise UnreadableModel(
            f"`{written}`: `{max(constant, key=lambda name: sizes.get(name, 0))}` and other maps in which no image has "
            f"a part take {_gib(size)} together, more than a network needs"
        )


# Tensors ----------------------------------------------------------------------------------------


def _is_norm(node: onnx.NodeProto) -> bool:
    return node.op_type == "BatchNormalization" and len(node.input) > _VARIANCE


def _tensors(graph: onnx.GraphProto) -> Iterator[tuple[onnx.TensorProto, str]]:
    """Every tensor, and the name by which a reader finds it."""
    for tensor in graph.initializer:
        yield tensor, tensor.name
    for node in graph.node:
        for attribute in node.attribute:
            yield from (
                (each, node.name or node.op_type) for each in (attribute.t, *attribute.tensors) if each.data_type
            )


def _check_tensor(tensor: onnx.TensorProto, written: str, where: str, *, variance: bool) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise UnreadableModel(f"`{written}`: the numbers of `{where}` lie in another file: save it as one file")
    if tensor.data_type not in _FLOATS:
        return
    try:
        numbers: Any = numpy_helper.to_array(tensor)
    except Exception as error:  # of many kinds
        raise UnreadableModel(f"`{written}`: the tensor `{where}` is cut off or damaged") from error
    # A single number may be infinite: the bound of a clip.
    if numbers.size > 1 and not np.isfinite(numbers).all():
        raise BrokenWeights(
            f"{written}: `{where}` has NaN or infinite values: compile it from weights that were saved before the "
            "training diverged"
        )
    if variance and numbers.size and numbers.min() < 0:
        raise BrokenWeights(f"{written}: `{where}` has the variance {float(numbers.min()):g}, and none is below zero")


# Sizes ------------------------------------------------------------------------------------------


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the shapes of its large tensors alone, which is what `check_sizes` needs of it."""
    bare = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    bare.graph.name = model.graph.name
    bare.graph.node.extend(model.graph.node)
    bare.graph.input.extend(model.graph.input)
    bare.graph.output.extend(model.graph.output)
    for value in bare.graph.output:  # what is declared of them need not be so
        value.type.tensor_type.ClearField("shape")
    for tensor in model.graph.initializer:
        small = prod(tensor.dims) <= _SMALL
        known = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        bare.graph.initializer.append(tensor if small else known)
    return bare


def _inferred(model: onnx.ModelProto, written: str, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """The model with the shape of each map that can be inferred, for images of these shapes."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        for dimension, length in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            dimension.dim_value = length
    try:
        return shape_inference.infer_shapes(sized, data_prop=True)
    except Exception as error:  # of many kinds
        raise UnreadableModel(f"`{written}`: the shapes of its maps cannot be found: {_first_line(error)}") from error


def _constants(graph: onnx.GraphProto) -> list[str]:
    """What no image has a part in, in the order of the nodes."""
    from_image = {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
    found: list[str] = []
    for node in graph.node:
        if from_image.isdisjoint(node.input):
            found.extend(node.output)
        else:
            from_image.update(node.output)
    return found


def _bytes(value: onnx.ValueInfoProto) -> int:
    """Of a map, as far as its shape is known: open lengths count as one."""
    tensor = value.type.tensor_type
    known = tensor.elem_type in _TYPES
    width = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).itemsize if known else 1
    return width * prod(max(1, each.dim_value) for each in tensor.shape.dim)


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.3g} GiB"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
