"""Tensors of a safetensors file: 8 bytes with the length of a JSON header, the header, the numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, TypeAdapter, ValidationError

from archdsl.weights.stored import KINDS, Stored, UnreadableWeights, require_float

_LONGEST_HEADER: Final = 32 << 20
"""In bytes: more than a hundred thousand tensors have."""
_METADATA: Final = "__metadata__"
_T = TypeVar("_T")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    dtype: str
    shape: list[NonNegativeInt]
    data_offsets: list[NonNegativeInt] = Field(min_length=2, max_length=2)


_ENTRY: Final = TypeAdapter(_Entry)
_TEXTS: Final = TypeAdapter(dict[str, str], config=ConfigDict(strict=True))


def read_safetensors(path: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    """The tensors of a file by name, and its metadata. Raises UnreadableWeights, OSError."""
    start, header = _header(path)
    metadata = _validated(path, _TEXTS, header.pop(_METADATA, {}), (_METADATA,))
    # One after the other, so that a file of a million mistakes ends with the first.
    entries = {name: _validated(path, _ENTRY, value, (name,)) for name, value in header.items()}
    for name, entry in entries.items():
        require_float(path, name, entry.dtype)
    _check_places(path, entries, path.stat().st_size - start)
    tensors = {
        name: Stored(path, name, entry.dtype, tuple(entry.shape), partial(_numbers, path, start, entry))
        for name, entry in entries.items()
    }
    return tensors, metadata


def _header(path: Path) -> tuple[int, dict[str, Any]]:
    """Where the numbers start, and the header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_LONGEST_HEADER, path.stat().st_size):
            raise _unreadable(path, "it does not begin with the length of a header")
        written = file.read(length)
    try:
        header: Any = json.loads(written.decode(), object_pairs_hook=partial(_once, path))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "its header is no JSON") from error
    if not isinstance(header, dict):
        raise _unreadable(path, "its header is no JSON object")
    return 8 + length, cast("dict[str, Any]", header)


def _once(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _unreadable(path, f"its header has `{name}` twice")
        found[name] = value
    return found


def _validated(path: Path, schema: TypeAdapter[_T], value: object, place: tuple[str, ...]) -> _T:
    try:
        return schema.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ": ".join(f"`{part}`" for part in (*place, *first["loc"]))
        raise _unreadable(path, f"{field}: {first['msg'].lower()}") from error


def _check_places(path: Path, entries: Mapping[str, _Entry], length: int) -> None:
    """Tensors lie one behind the other and fill the file, as the format wants it."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda each: each[1].data_offsets):
        begin, after = entry.data_offsets
        wanted = prod(entry.shape) * KINDS[entry.dtype].bytes
        if begin != end or after - begin != wanted:
            raise _unreadable(
                path, f"`{name}` takes {wanted:,} bytes and lies at {begin:,} to {after:,}, where {end:,} is free"
            )
        end = after
    if end != length:
        raise _unreadable(path, f"its tensors take {end:,} bytes, and {length:,} are there: it is cut off or damaged")


def _numbers(path: Path, start: int, entry: _Entry) -> NDArray[np.generic]:
    count = prod(entry.shape)
    with path.open("rb") as file:
        file.seek(start + entry.data_offsets[0])
        found = np.fromfile(file, KINDS[entry.dtype].raw, count)
    if found.size != count:
        raise _unreadable(path, "it became shorter while it was read")
    return found.reshape(entry.shape)


def _unreadable(path: Path, why: str) -> UnreadableWeights:
    return UnreadableWeights(f"{path} cannot be read as safetensors: {why}")
