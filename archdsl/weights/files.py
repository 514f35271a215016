"""Weights in safetensors files; never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from archdsl.files import write_atomic
from archdsl.ir import ClosedGraph
from archdsl.weights.mismatch import Tensors, compare
from archdsl.weights.specification import wanted_of

COUNTER = "num_batches_tracked"
"""torch's batch norm saves this counter beside its statistics. With a fixed momentum nothing reads it, so it is no
tensor of ours: ignored where it is found, never written."""


class _File(Protocol):
    """What we use of an open safetensors file; the library's own types say little."""

    def keys(self) -> list[str]: ...
    def metadata(self) -> dict[str, str] | None: ...
    def get_tensor(self, name: str) -> NDArray[np.generic]: ...


class UnreadableWeights(Exception):
    """A file that is no whole safetensors file, or holds something else than floating-point numbers."""


def load(path: Path, graph: ClosedGraph) -> dict[str, NDArray[np.float32]]:
    """The file's tensors as float32, in the graph's order.

    Weights that were saved for inference lack those of auxiliary outputs, and are whole without them. Raises
    WeightsMismatch where they are not those of the graph, UnreadableWeights for a damaged file, OSError.
    """
    found = read(path)
    wanted = wanted_of(graph, found)
    compare(wanted, {name: tensor.shape for name, tensor in found.items()})
    return {name: found[name] for name in wanted}


def load_metadata(path: Path) -> dict[str, str]:
    """What `save` was told about the file. Raises UnreadableWeights, OSError."""
    path.stat()
    try:
        with _open(path) as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise UnreadableWeights(f"{path} cannot be read as safetensors: {error}") from error


def save(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """A reader finds the old file or the new one at every moment. Raises OSError."""
    write_atomic(path, to_bytes(tensors, metadata))


def to_bytes(tensors: Tensors, metadata: Mapping[str, str]) -> bytes:
    """A safetensors file: the same bytes for the same tensors and metadata, in whatever order they are given."""
    # safetensors writes the buffer as it lies in memory, whatever the strides say.
    laid_out = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return _with_metadata(safetensors.numpy.save(laid_out), metadata)


def _with_metadata(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """safetensors itself writes metadata in another order in each process."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = {"__metadata__": dict(sorted(metadata.items())), **json.loads(data[8:end])}
    written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    padded = written + b" " * (-len(written) % 8)
    return len(padded).to_bytes(8, "little") + padded + data[end:]


def _open(path: Path) -> AbstractContextManager[_File]:
    return cast("AbstractContextManager[_File]", safetensors.safe_open(path, framework="numpy"))


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every tensor of a file as float32. Raises UnreadableWeights, OSError."""
    path.stat()
    tensors: dict[str, NDArray[np.float32]] = {}
    try:
        with _open(path) as file:
            names = file.keys()
            for name in names:
                if not name.endswith(f".{COUNTER}"):
                    tensors[name] = _as_float32(path, name, file.get_tensor(name))
    except SafetensorError as error:
        raise UnreadableWeights(f"{path} cannot be read as safetensors: {error}") from error
    return tensors


def _as_float32(path: Path, name: str, tensor: NDArray[np.generic]) -> NDArray[np.float32]:
    if not np.issubdtype(tensor.dtype, np.floating):
        raise UnreadableWeights(f"{path}: `{name}` holds {tensor.dtype}, not floating-point numbers")
    return tensor.astype(np.float32, copy=False)
