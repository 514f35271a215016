"""Which maps decide the values of a node's map, and which its size alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.program import Apply, Image
from archdsl.space.trace import Trace
from archdsl.space.walk import Key

T = TypeVar("T")


def values_read(payload: object, maps: Sequence[T]) -> Sequence[T]:
    """Of the maps that a node reads those of which it needs the values.

    None for zeros and for what is learned, the first of `like` another.
    """
    traits = PRIMITIVES[payload.primitive].traits if isinstance(payload, Apply) else None
    if traits is not None and (traits.zeros or traits.constant):
        return ()
    return maps[:1] if traits is not None and traits.like else maps


def depending_on_images(trace: Trace) -> frozenset[Key]:
    """The nodes whose maps differ from image to image."""
    found: set[Key] = set()
    for key, each in trace.computed.items():
        if isinstance(each.payload, Image) or not found.isdisjoint(values_read(each.payload, each.inputs)):
            found.add(key)
    return frozenset(found)


def cuts(trace: Trace, end: Key) -> tuple[Key, ...]:
    """The zeros for which a map depends on no image: each reads a map that does. Empty where the map depends on one.

    Those between which and the map no other zeros stand, or where there are none the next ones.
    """
    depending = depending_on_images(trace)
    if end in depending:
        return ()
    found: list[Key] = []
    seen: set[Key] = set()
    ends = [end]
    while ends and not found:
        behind: list[Key] = []
        while ends:
            key = ends.pop()
            if key in seen:
                continue
            seen.add(key)
            each = trace.computed[key]
            read = values_read(each.payload, each.inputs)
            ends.extend(reversed(read))
            if not read and not depending.isdisjoint(each.inputs):
                found.append(key)
            elif not read:
                behind.extend(each.inputs)
        ends = behind
    return tuple(found)
