"""A model run by ONNX Runtime for comparison: its outputs, and feature maps inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from archdsl.backends.interrupts import interrupt_held
from archdsl.backends.protocol import CellEnd, Observed

with interrupt_held():  # while the library loads it makes an ImportError of a KeyboardInterrupt
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]


def fixed_size(data: bytes) -> tuple[int, int] | None:
    """Height and width that the model is for, None where they are open."""
    dimensions = onnx.load_model_from_string(data).graph.input[0].type.tensor_type.shape.dim
    height, width = dimensions[2], dimensions[3]
    return (height.dim_value, width.dim_value) if height.dim_value and width.dim_value else None


def observe_onnx(data: bytes, image: NDArray[np.float32], ends: Sequence[CellEnd]) -> Observed:
    """The model's outputs, and the last maps of those cells whose last node is in it."""
    model = onnx.load_model_from_string(data)
    outputs = [value.name for value in model.graph.output]
    written = {node.name: node.output[0] for node in model.graph.node}
    values: dict[str, str] = {}
    for end in ends:
        value = written.get(end.path) or written.get(end.folded)
        if value is not None:
            values[end.path] = value
    inner = list(dict.fromkeys(value for value in values.values() if value not in outputs))
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner)
    found = run_model(model, image, [*outputs, *inner])
    return Observed({name: found[name] for name in outputs}, {path: found[value] for path, value in values.items()})


def run_model(
    model: onnx.ModelProto, image: NDArray[np.float32], values: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """These outputs of a model with one input, by name, on one thread of the CPU."""
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(list(values), {model.graph.input[0].name: image})
    return {name: np.asarray(value) for name, value in zip(values, found, strict=True)}
