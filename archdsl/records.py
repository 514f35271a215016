"""Records: frozen dataclasses that take a third as long to make, for classes of which there are many.

Python compiles six methods for each frozen dataclass, which is most of what importing `archdsl` takes. For a record it
compiles one, the initializer. Records share those by which they are compared, hashed and shown, which in exchange take
longer to run (what is a key in inner loops is no record), and those that refuse a change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache
from typing import Any, Final, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A frozen, slotted dataclass."""
    return frozen(cls)


def frozen(cls: type[T], *, kw_only: bool = False) -> type[T]:
    """As `record`, for other decorators."""
    for name, method in _SHARED.items():
        setattr(cls, name, method)
    made = dataclass(slots=True, init=False, eq=False, repr=False, kw_only=kw_only)(cls)
    made.__init__ = _initializer(fields(made))  # pyright: ignore[reportArgumentType] - a dataclass now
    return made


@cache
def compared(cls: type) -> tuple[str, ...]:
    """The names of the fields by which a record is compared and hashed, in their order."""
    return tuple(each.name for each in fields(cls) if each.compare)


@cache
def _shown(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.repr)


def _initializer(of: Sequence[Field[Any]]) -> Callable[..., None]:
    """Takes the fields as `dataclass` does: in their order, those by keyword alone at the end."""
    known: dict[str, object] = {"__put__": object.__setattr__, "__absent__": MISSING}
    parameters: dict[bool, list[str]] = {False: ["self"], True: []}
    lines = ["pass"]
    for each in of:
        given = each.name
        default = ""
        if each.default is not MISSING:
            known[f"default_{given}"] = each.default
            default = f" = default_{given}"
        elif each.default_factory is not MISSING:
            known[f"make_{given}"] = each.default_factory
            default = " = __absent__"
            given = f"make_{given}() if {given} is __absent__ else {given}"
        parameters[bool(each.kw_only)].append(each.name + default)
        lines.append(f"__put__(self, {each.name!r}, {given})")
    signature = ", ".join([*parameters[False], *(["*", *parameters[True]] if parameters[True] else [])])
    made: dict[str, Callable[..., None]] = {}
    exec(f"def __init__({signature}):\n " + "\n ".join(lines), known, made)
    return made["__init__"]


def _refuse_change(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_removal(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _values(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, values: list[object]) -> None:
    for each, value in zip(fields(self), values, strict=True):
        object.__setattr__(self, each.name, value)


def _equal(self: object, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in compared(type(self)))


def _hash(self: object) -> int:
    return hash((type(self), *(getattr(self, name) for name in compared(type(self)))))


def _spelled(self: object) -> str:
    inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in _shown(type(self)))
    return f"{type(self).__qualname__}({inner})"


_SHARED: Final = {
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _spelled,
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_removal,
    "__getstate__": _values,
    "__setstate__": _restore,
}
