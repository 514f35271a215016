"""Recipes as data for machines, and as settings for readers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from archdsl.settings.objectives import Objective, spelled
from archdsl.settings.schedules import Constant


def as_data(value: Any) -> Any:
    """JSON's own types; a model becomes an object whose `type` is its name: `{"type": "sgd", "lr": …}`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": _name(value)} | {name: as_data(each) for name, each in _parts(value)}
    match value:
        case Enum():
            return value.value
        case tuple() | list():
            return [as_data(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case Fraction():
            return float(value)
        case Path():
            return None  # where a table lies on one machine says nothing on another
        case _:
            return value


def as_setting(value: Any) -> str:
    """`sgd(lr = poly(start = 0.01, power = 0.9), momentum = 0.9)`: everything that holds, defaults too."""
    if isinstance(value, Objective):
        return spelled(value)
    if isinstance(value, Constant):
        return f"{value.value:g}"
    if is_dataclass(value) and not isinstance(value, type):
        inner = ", ".join(
            f"{name} = {as_setting(each)}"
            for name, each in _parts(value)
            if each not in (None, ()) and not _hidden(each)
        )
        return f"{_name(value)}({inner})" if inner else _name(value)
    match value:
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case tuple() | list():
            return "{" + ", ".join(as_setting(each) for each in value) + "}"  # pyright: ignore[reportUnknownVariableType]
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields that make a difference: where in a text something stands makes none."""
    return ((each.name, getattr(value, each.name)) for each in fields(value) if each.compare)


def _hidden(value: Any) -> bool:
    return isinstance(value, Path)


def _name(value: Any) -> str:
    """`TwoLevels` -> `two_levels`."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in type(value).__name__).lstrip("_")
