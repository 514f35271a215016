"""A compiled ONNX file in use: what it says of itself, and a session that runs it on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A file that reads images, one set of them at a time, and gives maps of logits or of labels."""

    description: Description
    channel_order: str
    padding_multiple: int
    inputs: Mapping[str, Sequence[object]]
    """Images, channels, height, width of each input by its name; what is no number is open."""
    outputs: Mapping[str, int | None]
    """Of each output by its name the channels of the logits; None where it gives labels."""
    text: str
    """What was compiled, as `FILE:NAME`; empty where the file does not say."""
    random: bool
    """Whether it was compiled without trained weights."""
    _session: Any
    _dtypes: Mapping[str, type[np.floating[Any]]]

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the first input; None where they are open."""
        _, _, height, width = next(iter(self.inputs.values()))
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def run(self, images: Mapping[str, NDArray[np.floating[Any]]]) -> list[NDArray[np.generic]]:
        """For each output logits 1xKxhxw, or labels 1xhxw. Raises TargetFailed where the runtime cannot."""
        given = {name: image.astype(self._dtypes[name], copy=False) for name, image in images.items()}
        try:
            found: list[Any] = self._session.run(list(self.outputs), given)
        except Exception as error:  # the library's own, which derive from nothing narrower
            raise TargetFailed("ONNX Runtime stopped", tuple(str(error).splitlines()[:5])) from error
        return [np.asarray(each) for each in found]


def open_onnx(path: Path, *, threads: int = 1) -> OnnxSession:
    """Raises TargetFailed for a file that cannot be run as a network on one image; UnreadableWeights, OSError."""
    session = _session(path, threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if not inputs or not all(len(each.shape) == _PICTURE and each.type in _DTYPES for each in inputs):
        raise TargetFailed(f"`{path}` does not read images: its inputs are {_listed(inputs)}")
    if not outputs or not all(len(each.shape) in (_PICTURE, _PICTURE - 1) for each in outputs):
        raise TargetFailed(f"`{path}` does not give maps of logits or labels: its outputs are {_listed(outputs)}")
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    multiple = metadata.get("padding_multiple", "1")
    return OnnxSession(
        description=described_by(metadata, path),
        channel_order=metadata.get("channel_order", "RGB"),
        padding_multiple=max(1, int(multiple)) if multiple.isdecimal() else 1,
        inputs={each.name: tuple(each.shape) for each in inputs},
        outputs={each.name: _logits(each.shape) for each in outputs},
        text=metadata.get("archdsl.text", ""),
        random='"random"' in metadata.get("archdsl.weights", ""),
        _session=session,
        _dtypes={each.name: _DTYPES[each.type] for each in inputs},
    )


def _logits(shape: Sequence[object]) -> int | None:
    """Channels of logits; None of labels."""
    return shape[1] if len(shape) == _PICTURE and isinstance(shape[1], int) else None


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
