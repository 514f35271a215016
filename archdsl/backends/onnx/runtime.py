"""A model run by ONNX Runtime for comparison: its outputs, and feature maps inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.interrupts import interrupt_held
from archdsl.backends.onnx.reading import check_sizes, read_model, texts_read, without_numbers
from archdsl.backends.protocol import CellEnd, Observed

with interrupt_held():  # while the library loads it makes an ImportError of a KeyboardInterrupt
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]


def fixed_shapes(data: bytes) -> dict[str, tuple[int | None, ...]]:
    """The shape of each input by its name; None for an open dimension."""
    return {
        value.name: tuple(each.dim_value or None for each in value.type.tensor_type.shape.dim)
        for value in read_model(data, "the model").graph.input
    }


def observe_onnx(data: bytes, images: Mapping[str, NDArray[np.float32]], ends: Sequence[CellEnd]) -> Observed:
    """The model's outputs, and the last maps of those cells whose last node is in it.

    Raises UnreadableModel, BrokenWeights, and TargetFailed where the runtime stops.
    """
    model = read_model(data, "the model")
    check_sizes(without_numbers(model), "the model", {name: image.shape for name, image in images.items()})
    with texts_read("the model"):
        return _observe(model, images, ends)


def _observe(model: onnx.ModelProto, images: Mapping[str, NDArray[np.float32]], ends: Sequence[CellEnd]) -> Observed:
    outputs = [value.name for value in model.graph.output]
    written = {node.name: node.output[0] for node in model.graph.node if node.output}
    values: dict[str, str] = {}
    for end in ends:
        value = written.get(end.path) or written.get(end.folded)
        if value is not None:
            values[end.path] = value
    inner = list(dict.fromkeys(value for value in values.values() if value not in outputs))
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner)
    found = run_model(model, images, [*outputs, *inner])
    return Observed({name: found[name] for name in outputs}, {path: found[value] for path, value in values.items()})


def run_model(
    model: onnx.ModelProto, images: Mapping[str, NDArray[np.float32]], values: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """These outputs of a model on images by the names of its inputs, by name, on one thread of the CPU.

    Raises TargetFailed.
    """
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found: list[Any] = session.run(list(values), dict(images))
    except Exception as error:  # the library's own, which derive from nothing narrower
        raise TargetFailed("ONNX Runtime stopped", tuple(str(error).splitlines()[:5])) from error
    return {name: np.asarray(value) for name, value in zip(values, found, strict=True)}
