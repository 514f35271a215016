"""ONNX Runtime as a witness: outputs of a model, and maps inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from archdsl.export.cells import CellEnd, Observed


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
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    asked = [*outputs, *inner]
    found: dict[str, Any] = dict(zip(asked, session.run(asked, {model.graph.input[0].name: image}), strict=True))
    return Observed(
        {name: np.asarray(found[name]) for name in outputs},
        {path: np.asarray(found[value]) for path, value in values.items()},
    )
