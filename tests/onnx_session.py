"""ONNX Runtime and torch's exporter with types: the border to libraries that have few."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import onnx
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class _Value(Protocol):
    name: str


class _Session(Protocol):
    def get_inputs(self) -> Sequence[_Value]: ...
    def get_outputs(self) -> Sequence[_Value]: ...
    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Floats]) -> Sequence[Floats]: ...


class _Options(Protocol):
    optimized_model_filepath: str
    log_severity_level: int


class _Program(Protocol):
    def save(self, destination: str) -> None: ...


def run(model: onnx.ModelProto, x: Floats) -> dict[str, Floats]:
    """The outputs by name, after a full check of the model. Labels are whole numbers in spite of the type."""
    check = cast("Callable[..., None]", onnx.checker.check_model)  # pyright: ignore[reportUnknownMemberType]
    check(model, full_check=True)
    session = cast(
        "_Session", onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    )
    names = [output.name for output in session.get_outputs()]
    (image,) = session.get_inputs()
    return dict(zip(names, session.run(names, {image.name: x}), strict=True))


def optimized(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """What ONNX Runtime makes of a model before it runs it; `path` is where it may write."""
    options = cast("_Options", onnxruntime.SessionOptions())  # pyright: ignore[reportUnknownMemberType]
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3  # such a model is good for this machine alone, it says
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load_model_from_string(path.read_bytes())


def exported_by_torch(network: torch.nn.Module, x: Floats, path: Path) -> onnx.ModelProto:
    """What torch's own exporter makes of a network; `path` is where it may write."""
    export = cast("Callable[..., _Program]", torch.onnx.export)  # pyright: ignore[reportUnknownMemberType]
    program = export(network, (torch.as_tensor(x),), dynamo=True, opset_version=20, verbose=False)
    program.save(str(path))
    return onnx.load_model_from_string(path.read_bytes())
