"""A compiled ONNX file in use: what it says of itself, and a session that runs it on the CPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed, UnreadableModel
from archdsl.backends.interrupts import interrupt_held
from archdsl.backends.onnx.reading import LARGEST_FILE, check_sizes, read_model, texts_read, without_numbers
from archdsl.files import read_whole
from archdsl.weights.description import Description, described_by

with interrupt_held():  # while the library loads it makes an ImportError of a KeyboardInterrupt
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_NUMBERS = {*_DTYPES, "tensor(double)", *(f"tensor({sign}int{bits})" for sign in ("", "u") for bits in (8, 16, 32, 64))}
_KNOWN: Final = {"channel_order": "RGB|BGR", "padding_multiple": r"[1-9]\d{0,3}"}
_SHOWN: Final = 40
_PICTURE = 4
"""Dimensions of images."""
_LOGITS, _LABELS = (_PICTURE, 2), (_PICTURE - 1, 1)
"""Dimensions of what maps give, and of what vectors give: one answer for a whole image."""


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
    vectors: frozenset[str]
    """The outputs that are about whole images."""
    text: str
    """What was compiled, as `FILE:NAME`; empty where the file does not say."""
    random: bool
    """Whether it was compiled without trained weights."""
    _session: Any
    _dtypes: Mapping[str, type[np.floating[Any]]]
    _dimensions: Sequence[int]
    """Of each output."""
    _bounded: Callable[[tuple[tuple[str, tuple[int, ...]], ...]], None]
    """Raises UnreadableModel where images of these shapes, by the names of inputs, take more than networks do."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the first input; None where they are open."""
        _, _, height, width = next(iter(self.inputs.values()))
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def run(self, images: Mapping[str, NDArray[np.floating[Any]]]) -> list[NDArray[np.generic]]:
        """For each output logits 1xKxhxw or labels 1xhxw, of a vector 1xK or 1.

        Raises TargetFailed where the runtime cannot, UnreadableModel where that would take more than networks do.
        """
        self._bounded(tuple((name, image.shape) for name, image in images.items()))
        given = {name: image.astype(self._dtypes[name], copy=False) for name, image in images.items()}
        try:
            found: list[Any] = self._session.run(list(self.outputs), given)
        except Exception as error:  # the library's own, which derive from nothing narrower
            raise TargetFailed("ONNX Runtime stopped", tuple(str(error).splitlines()[:5])) from error
        for name, dimensions, each in zip(self.outputs, self._dimensions, found, strict=True):
            if np.ndim(each) != dimensions or not np.size(each):
                raise TargetFailed(
                    f"the output `{name}` is {'x'.join(map(str, np.shape(each)))}, and no map of classes"
                )
        return [np.asarray(each) for each in found]


def open_onnx(path: Path, *, threads: int = 1) -> OnnxSession:
    """A session on a file.

    Raises UnreadableModel for a file that is no network on images, BrokenWeights for weights that are NaN or infinite,
    TargetFailed where the runtime refuses it, UnreadableWeights for metadata, OSError.
    """
    data = read_whole(path, LARGEST_FILE + 1)
    model = read_model(data, str(path))
    with texts_read(str(path)):
        metadata = _metadata(path, model)
        return _opened(path, without_numbers(model), _session(path, data, threads), metadata)


def _metadata(path: Path, model: onnx.ModelProto) -> dict[str, str]:
    """What a file says of itself, of which an order of channels and a multiple are checked here."""
    found: dict[str, str] = {}
    for entry in model.metadata_props:
        value: Any = entry.value
        if not isinstance(value, str):  # protobuf gives the bytes where they are no UTF-8
            raise UnreadableModel(f"`{path}` is damaged: `{entry.key}` of its metadata is no UTF-8")
        found[entry.key] = value
    for name, pattern in _KNOWN.items():
        if name in found and not re.fullmatch(pattern, found[name], re.ASCII):
            raise UnreadableModel(
                f"`{path}`: `{name}` of its metadata is `{found[name][:_SHOWN]}`, which archdsl never writes: "
                "compile it again"
            )
    return found


def _opened(path: Path, model: onnx.ModelProto, session: Any, metadata: Mapping[str, str]) -> OnnxSession:
    """`model` is without numbers."""

    @cache
    def bounded(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> None:
        check_sizes(model, str(path), dict(shapes))

    inputs, outputs = session.get_inputs(), session.get_outputs()
    if not inputs or not all(len(each.shape) == _PICTURE and each.type in _DTYPES for each in inputs):
        raise UnreadableModel(f"`{path}` does not read images: its inputs are {_listed(inputs)}")
    if not outputs or not all(_is_answer(each) for each in outputs):
        raise UnreadableModel(f"`{path}` does not give logits or labels: its outputs are {_listed(outputs)}")
    return OnnxSession(
        description=described_by(metadata, path),
        channel_order=metadata.get("channel_order", "RGB"),
        padding_multiple=int(metadata.get("padding_multiple", "1")),
        inputs={each.name: tuple(each.shape) for each in inputs},
        outputs={each.name: _logits(each.shape) for each in outputs},
        vectors=frozenset(each.name for each in outputs if len(each.shape) < _PICTURE - 1),
        text=metadata.get("archdsl.text", ""),
        random='"random"' in metadata.get("archdsl.weights", ""),
        _session=session,
        _dtypes={each.name: _DTYPES[each.type] for each in inputs},
        _dimensions=[len(each.shape) for each in outputs],
        _bounded=bounded,
    )


def _is_answer(output: Any) -> bool:
    """Whether an output has logits, of so many channels, or labels."""
    known = len(output.shape) in _LABELS or _logits(output.shape) is not None
    return known and output.type in _NUMBERS


def _logits(shape: Sequence[object]) -> int | None:
    """Channels of logits; None of labels."""
    return shape[1] if len(shape) in _LOGITS and isinstance(shape[1], int) else None


def _session(path: Path, data: bytes, threads: int) -> Any:
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own, which derive from nothing narrower
        raise TargetFailed(f"`{path}` cannot be opened by ONNX Runtime", tuple(str(error).splitlines()[:5])) from error


def _listed(values: list[Any]) -> str:
    return ", ".join(f"`{each.name}` {'x'.join(map(str, each.shape))}" for each in values) or "none"


def runtime_version() -> str:
    version: str = onnxruntime.__version__
    return version
