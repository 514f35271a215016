"""Arrays as numpy saves them, `.npy` and `.npz`, of numbers alone: an array of objects is a pickle, and is not read."""

from __future__ import annotations

import ast
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

MAGIC: Final = b"\x93NUMPY"
_LENGTHS: Final = {1: ("<H", 2), 2: ("<I", 4), 3: ("<I", 4)}
"""By the version of the format: the bytes of the length of its head."""
_LONGEST_HEAD: Final = 10_000
_MOST: Final = 100_000
"""Numbers in an array."""
_MEMBERS: Final = 16
_KINDS: Final = {
    "f2": "e", "f4": "f", "f8": "d",
    "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "b1": "?",
}  # fmt: skip


class UnreadableArray(Exception):
    """A file that holds no array of numbers; the text says why, not which file it is."""


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers in the order of their indices, the last one fastest."""

    shape: tuple[int, ...]
    numbers: tuple[float, ...]

    def row(self, *index: int) -> tuple[float, ...]:
        """The numbers of the last dimension at an index of all others."""
        *outer, last = self.shape
        at = 0
        for position, size in zip(index, outer, strict=True):
            at = at * size + position
        return self.numbers[at * last : (at + 1) * last]


def read_npz(data: bytes) -> Mapping[str, Array]:
    """The arrays of a `.npz` by name. Raises UnreadableArray."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS:
                raise UnreadableArray(f"it holds {len(members)} files, and {_MEMBERS} are read")
            found: dict[str, Array] = {}
            for member in members:
                with archive.open(member) as file:
                    found[member.filename.removesuffix(".npy")] = read_npy(file.read(_LONGEST_HEAD + 8 * _MOST + 1))
            return found
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UnreadableArray("it is damaged, or no `.npz`") from error


def read_npy(data: bytes) -> Array:
    """Raises UnreadableArray."""
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + 6:
        raise UnreadableArray("it is no `.npy`")
    form, size = _LENGTHS.get(data[6], ("", 0))
    if not size:
        raise UnreadableArray(f"it has version {data[6]} of the format, and 1 to 3 are read")
    (length,) = struct.unpack_from(form, data, 8)
    start = 8 + size + length
    if length > _LONGEST_HEAD or start > len(data):
        raise UnreadableArray("it is cut off or damaged")
    kind, order, columns, shape = _head(data[8 + size : start])
    count = prod(shape)
    width = struct.calcsize(f"={kind}")
    if count > _MOST:
        raise UnreadableArray(f"it holds {count:,} numbers, and {_MOST:,} are read")
    if len(data) - start < count * width:
        raise UnreadableArray("it is cut off")
    numbers = struct.unpack_from(f"{order}{count}{kind}", data, start)
    if columns and len(shape) > 1:
        numbers = _by_rows(numbers, shape)
    return Array(shape, tuple(float(each) for each in numbers))


class _Head(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    descr: str
    fortran_order: bool
    shape: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=8)]


def _head(data: bytes) -> tuple[str, str, bool, tuple[int, ...]]:
    """Type, byte order, whether columns come first, and the shape."""
    try:
        head = _Head.model_validate(ast.literal_eval(data.decode("utf-8").strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise UnreadableArray("its head says no type, order and shape of plain numbers") from None
    if head.descr[1:] not in _KINDS or head.descr[:1] not in "<>|=":
        pickled = ": it holds objects, which are pickled and not read" if "O" in head.descr else ""
        raise UnreadableArray(f"its numbers are of the type `{head.descr}`{pickled}")
    order = {"|": "<", "=": "="}.get(head.descr[0], head.descr[0])
    return _KINDS[head.descr[1:]], order, head.fortran_order, head.shape


def _by_rows(numbers: tuple[float, ...], shape: tuple[int, ...]) -> tuple[float, ...]:
    steps = [prod(shape[:at]) for at in range(len(shape))]
    found: list[float] = []
    index = [0] * len(shape)
    for _ in range(len(numbers)):
        found.append(numbers[sum(i * step for i, step in zip(index, steps, strict=True))])
        for at in reversed(range(len(shape))):
            index[at] += 1
            if index[at] < shape[at]:
                break
            index[at] = 0
    return tuple(found)
