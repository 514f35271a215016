"""Nodes of a closed graph as the language writes them."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops import Value
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply


def joins(payload: Apply) -> bool:
    """Whether the maps of a primitive stand in its brackets: `concat(a, b)`, not `a -> relu`."""
    return PRIMITIVES[payload.primitive].variadic


def spell_call(payload: Apply, more: Sequence[str] = (), weights: str = "") -> str:
    """`conv(c = 32, k = 1)`, `resize(like = y)`: what differs from the defaults; `more` are maps behind the first.

    `weights` is the name under which it shares its weights: `conv(c = 32, weights@head)`.
    """
    given = _given(payload)
    given += [f"{name} = {source}" for name, source in zip(PRIMITIVES[payload.primitive].maps[1:], more, strict=False)]
    given += [f"weights@{weights}"] if weights else []
    return f"{payload.primitive}({', '.join(given)})" if given else payload.primitive


def spell_join(payload: Apply, maps: Sequence[str]) -> str:
    """`concat(a, b, axis = "height")`: of a primitive that joins maps."""
    return f"{payload.primitive}({', '.join([*maps, *_given(payload)])})"


def _given(payload: Apply) -> list[str]:
    """The parameters that differ from the defaults."""
    defaults = {parameter.name: parameter.default for parameter in PRIMITIVES[payload.primitive].parameters}
    return [
        f"{name} = {_spell_value(value)}"
        for name, value in payload.attributes
        if value is not None and value != defaults[name]
    ]


def _spell_value(value: Value) -> str:
    """As the language reads it back: square windows as one number."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return str(value[0])
    return show(value)
