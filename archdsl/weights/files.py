"""Files of weights: safetensors, and what `torch.save` wrote, each read as data; written as safetensors alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from archdsl.ir import ClosedGraph
from archdsl.staging import write_atomic
from archdsl.weights.mismatch import Tensors, compare
from archdsl.weights.safetensors_file import read_safetensors
from archdsl.weights.specification import Spec, specification, wanted_of
from archdsl.weights.stored import BrokenWeights, Stored, UnreadableWeights
from archdsl.weights.torch_file import MAGIC_BYTES, begins_as_torch, read_torch
from archdsl.weights.wrappers import wrapper

COUNTERS = ("num_batches_tracked", "n_averaged")
"""torch saves these counters beside the statistics of batch norms and of averages. With a fixed momentum nothing reads
them, so they are no tensors of ours: ignored where they are found, never written."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """The tensors of a file by name, without counters; their numbers are read when they are asked for."""

    path: Path
    tensors: Mapping[str, Stored]
    metadata: Mapping[str, str]
    notices: tuple[str, ...] = ()
    """What a user should know, a sentence each."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tensor.shape for name, tensor in self.tensors.items()}

    def unwrapped(self, wanted: Container[str]) -> WeightsFile:
        """The same without what a wrapper put before all names, where that makes more of them wanted ones."""
        prefix = wrapper(self.tensors.keys(), wanted)
        if not prefix:
            return self
        said = f"the names of all tensors in `{self.path}` begin with `{prefix}`, which is left out"
        tensors = {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items()}
        return replace(self, tensors=tensors, notices=(*self.notices, said))

    def matching(self, wanted: Mapping[str, Spec]) -> dict[str, NDArray[np.float32]]:
        """The tensors that have a wanted name and its shape, as float32, in the order of `wanted`.

        Raises UnreadableWeights for whole numbers, BrokenWeights for NaN, infinity and negative variances.
        """
        shapes = self.shapes
        return {
            name: _numbers(self.tensors[name], spec) for name, spec in wanted.items() if shapes.get(name) == spec.shape
        }


@dataclass(frozen=True, slots=True)
class Weights:
    """Every tensor of a network, and what a user should know of the file that they are from, a sentence each."""

    tensors: Mapping[str, NDArray[np.float32]]
    notices: tuple[str, ...] = ()


def load(path: Path, graph: ClosedGraph) -> Weights:
    """The file's tensors as float32, in the graph's order.

    Weights that were saved for inference lack those of auxiliary outputs, and are whole without them. Raises
    WeightsMismatch where they are not those of the graph, UnreadableWeights for a damaged file or one of another kind,
    BrokenWeights for NaN, infinity and negative variances, OSError.
    """
    found = open_weights(path).unwrapped(specification(graph))
    wanted = wanted_of(graph, found.tensors)
    compare(wanted, found.shapes)
    return Weights(found.matching(wanted), found.notices)


def open_weights(path: Path) -> WeightsFile:
    """A safetensors file, or one that torch wrote; its beginning says which. Raises UnreadableWeights, OSError."""
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # a folder is an error of the system, in its own words
        raise UnreadableWeights(
            f"{path} is a pipe or a device, and weights are read in parts: write them to a file first"
        )
    with path.open("rb") as file:
        from_torch = begins_as_torch(file.read(MAGIC_BYTES))
    if not from_torch:
        tensors, metadata = read_safetensors(path)
        return WeightsFile(path, _without_counters(tensors), metadata)
    tensors, under = read_torch(path)
    said = (f"the tensors under `{under}` of `{path}` are taken",) if under else ()
    return WeightsFile(path, _without_counters(tensors), {}, said)


def load_metadata(path: Path) -> dict[str, str]:
    """What `save` was told about the file; nothing of one that torch wrote. Raises UnreadableWeights, OSError."""
    return dict(open_weights(path).metadata)


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


def _without_counters(tensors: Mapping[str, Stored]) -> dict[str, Stored]:
    return {name: tensor for name, tensor in tensors.items() if name.rpartition(".")[2] not in COUNTERS}


def _numbers(tensor: Stored, spec: Spec) -> NDArray[np.float32]:
    found = tensor.numbers()
    if spec.variance and found.size and found.min() < 0:
        raise BrokenWeights(
            f"{tensor.file}: `{tensor.name}` has the variance {found.min():g}, and none is below zero: take weights "
            "that were saved by a training"
        )
    return found
