"""The files of a sweep, read through their schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

from archdsl.documents import MIB, Schema, Unfit, read
from archdsl.search.sweep.errors import NotSwept

_LARGEST: Final = 16 * MIB
S = TypeVar("S", bound=Schema)


def read_file(schema: type[S], path: Path) -> S | None:
    """None where there is no file. Raises NotSwept for one that says something else, OSError."""
    try:
        return read(schema, path, _LARGEST)
    except FileNotFoundError:
        return None
    except Unfit as error:
        raise NotSwept(f"`{path}` cannot be read: {error}; restore the file") from None
