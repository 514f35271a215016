"""A compiled ONNX file in use: what it says of itself, and a session that runs it on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.interrupts import interrupt_held
from archdsl.weights.description import Description, described_by

with interrupt_held():  # while the library loads it makes an ImportError of a KeyboardInterrupt
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_PICTURE = 4
"""Dimensions of images and of logits; labels have three."""


@dataclass(frozen=True, slots=True)
class OnnxSession:
    """A file with one image as its input, one at a time, and one output."""

    description: Description
    channel_order: str
    padding_multiple: int
    size: tuple[int, int] | None
    """Height and width of the images that it is for; None where they are open."""
    classes: int | None
    """Channels of the logits; None where it gives labels."""
    text: str
    """What was compiled, as `FILE:NAME`; empty where the file does not say."""
    random: bool
    """Whether it was compiled without trained weights."""
    _session: Any
    _input: str
    _dtype: type[np.floating[Any]]

    def run(self, image_13HW: NDArray[np.floating[Any]]) -> NDArray[np.generic]:
        """Logits 1xKxhxw, or labels 1xhxw. Raises TargetFailed where the runtime cannot."""
        try:
            (found,) = self._session.run(None, {self._input: image_13HW.astype(self._dtype, copy=False)})
        except Exception as error:  # the library's own, which derive from nothing narrower
            raise TargetFailed("ONNX Runtime stopped", tuple(str(error).splitlines()[:5])) from error
        return np.asarray(found)


def open_onnx(path: Path, *, threads: int = 1) -> OnnxSession:
    """Raises TargetFailed for a file that cannot be run as a network on one image; UnreadableWeights, OSError."""
    session = _session(path, threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != _PICTURE or inputs[0].type not in _DTYPES:
        raise TargetFailed(f"`{path}` does not read one image: its inputs are {_listed(inputs)}")
    if len(outputs) != 1 or len(outputs[0].shape) not in (_PICTURE, _PICTURE - 1):
        raise TargetFailed(f"`{path}` does not give one map of logits or labels: its outputs are {_listed(outputs)}")
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    _, _, height, width = inputs[0].shape
    shape = outputs[0].shape
    multiple = metadata.get("padding_multiple", "1")
    return OnnxSession(
        description=described_by(metadata, path),
        channel_order=metadata.get("channel_order", "RGB"),
        padding_multiple=max(1, int(multiple)) if multiple.isdecimal() else 1,
        size=(height, width) if isinstance(height, int) and isinstance(width, int) else None,
        classes=shape[1] if len(shape) == _PICTURE and isinstance(shape[1], int) else None,
        text=metadata.get("archdsl.text", ""),
        random='"random"' in metadata.get("archdsl.weights", ""),
        _session=session,
        _input=inputs[0].name,
        _dtype=_DTYPES[inputs[0].type],
    )


def _session(path: Path, threads: int) -> Any:
    path.stat()
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own, which derive from nothing narrower
        raise TargetFailed(f"`{path}` cannot be opened by ONNX Runtime", tuple(str(error).splitlines()[:5])) from error


def _listed(values: list[Any]) -> str:
    return ", ".join(f"`{each.name}` {'x'.join(map(str, each.shape))}" for each in values) or "none"


def runtime_version() -> str:
    version: str = onnxruntime.__version__
    return version
