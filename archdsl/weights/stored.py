"""A tensor as a file holds it: its shape is known at once, its numbers are read and widened when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


class UnreadableWeights(Exception):
    """A file that holds no tensors, or holds them in a form that is not read; the text says which and why."""


class BrokenWeights(Exception):
    """Tensors with numbers that no network computes with: NaN, infinity, negative variances."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of numbers in files."""

    name: str
    """As torch and numpy call it."""
    raw: str
    """numpy's type of as many bytes, little-endian: bfloat16 is read as whole numbers of two bytes."""

    @property
    def bytes(self) -> int:
        return np.dtype(self.raw).itemsize


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "F64": Kind("float64", "<f8"),
        "F32": Kind("float32", "<f4"),
        "F16": Kind("float16", "<f2"),
        "BF16": Kind("bfloat16", "<u2"),
        "I64": Kind("int64", "<i8"),
        "I32": Kind("int32", "<i4"),
        "I16": Kind("int16", "<i2"),
        "I8": Kind("int8", "i1"),
        "U64": Kind("uint64", "<u8"),
        "U32": Kind("uint32", "<u4"),
        "U16": Kind("uint16", "<u2"),
        "U8": Kind("uint8", "u1"),
        "BOOL": Kind("bool", "u1"),
        "C64": Kind("complex64", "<c8"),
    }
)
"""By the names that safetensors gives them."""

_WIDENED = ("F64", "F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class Stored:
    file: Path
    name: str
    kind: str
    """A key of KINDS."""
    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.generic]]
    """The numbers as they lie in the file, in the type `Kind.raw` and of this shape."""

    def numbers(self) -> NDArray[np.float32]:
        """The tensor as float32. Raises UnreadableWeights for whole numbers, BrokenWeights for NaN and infinity."""
        if self.kind not in _WIDENED:
            raise UnreadableWeights(
                f"{self.file}: `{self.name}` holds {KINDS[self.kind].name}, not floating-point numbers"
            )
        raw = self.read()
        exact = (raw.astype(np.uint32) << 16).view(np.float32) if self.kind == "BF16" else raw
        with np.errstate(over="ignore"):
            found = exact.astype(np.float32, copy=False)
        wrong = found.size - int(np.isfinite(found).sum())
        if wrong:
            beyond = " or are beyond float32" if self.kind == "F64" else ""
            raise BrokenWeights(
                f"{self.file}: {wrong} of the {found.size} values of `{self.name}` are NaN or infinite{beyond}: "
                "take weights that were saved before the training diverged"
            )
        return found


def require_float(file: Path, name: str, kind: str) -> None:
    """Raises UnreadableWeights for a type of numbers that is not read at all, with the tensor's name."""
    if kind in KINDS:
        return
    if kind.startswith(("F8", "F6", "F4")):
        raise UnreadableWeights(
            f"{file}: `{name}` holds float{kind[1]} ({kind}), which loses what networks here compute with: save the "
            "weights as float32, float16 or bfloat16"
        )
    raise UnreadableWeights(f"{file}: `{name}` holds numbers of the unknown type `{kind}`: save them as float32")
