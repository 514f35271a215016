"""Validation of ONNX bytes; the checker's errors, which are of many kinds, become TargetFailed."""

from __future__ import annotations

from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import shape_inference

from archdsl.backends.failures import TargetFailed


def checked_model(data: bytes) -> onnx.ModelProto:
    """The model, with all its shapes consistent. Raises TargetFailed.

    Runtimes are less strict: TensorRT reads some junk as an empty network.
    """
    try:
        model = onnx.load_model_from_string(data)
        check(model)
    except DecodeError as error:
        raise TargetFailed("this is not an ONNX model", (str(error),)) from error
    return model


def check(model: onnx.ModelProto) -> None:
    """Raises TargetFailed with the checker's words."""
    checker: Any = onnx.checker
    try:
        checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, shape_inference.InferenceError) as error:
        raise TargetFailed("this is not an ONNX model", tuple(str(error).splitlines())) from error
