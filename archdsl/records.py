"""Records: frozen dataclasses that take half as long to make, for classes of which there are many.

Python compiles six methods for each frozen dataclass, which is most of what importing `archdsl` takes. Records share
those by which they are compared, hashed and shown, which in exchange take longer to run: what is a key in inner loops
is no record.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Final, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A frozen, slotted dataclass."""
    return frozen(cls)


def frozen(cls: type[T], *, kw_only: bool = False) -> type[T]:
    """As `record`, for other decorators."""
    for name, method in _SHARED.items():
        setattr(cls, name, method)
    return dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=kw_only)(cls)


@cache
def compared(cls: type) -> tuple[str, ...]:
    """The names of the fields by which a record is compared and hashed, in their order."""
    return tuple(each.name for each in fields(cls) if each.compare)


@cache
def _shown(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.repr)


def _equal(self: object, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in compared(type(self)))


def _hash(self: object) -> int:
    return hash((type(self), *(getattr(self, name) for name in compared(type(self)))))


def _spelled(self: object) -> str:
    inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in _shown(type(self)))
    return f"{type(self).__qualname__}({inner})"


_SHARED: Final = {"__eq__": _equal, "__hash__": _hash, "__repr__": _spelled}
