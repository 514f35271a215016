"""Primitives that make one map of several: concat, add, multiply."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.dims import Count, add
from archdsl.ops.model import Attributes, Primitive, Shape, ShapeError


def _same_resolution(maps: Sequence[Shape]) -> None:
    first = maps[0]
    for other in maps[1:]:
        if (other.height, other.width) != (first.height, first.width):
            raise ShapeError(
                "E0502",
                f"reads maps of different resolution: {first.height}x{first.width} and {other.height}x{other.width}",
                "bring one to the other's size with `resize(like = …)`",
            )


def _same_channels(maps: Sequence[Shape]) -> None:
    first = maps[0].channels
    for other in maps[1:]:
        if other.channels != first:
            raise ShapeError(
                "E0501",
                f"reads maps of different channel counts: {first} and {other.channels}",
                "bring one to the other's channels with a `conv` with `k = 1`",
            )


def _concat_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    _same_resolution(maps)
    channels: Count = 0
    for map_ in maps:
        channels = add(channels, map_.channels)
    return Shape(channels, maps[0].height, maps[0].width)


CONCAT = Primitive(
    name="concat", summary="maps one behind the other, by channels", parameters=(), shape=_concat_shape, most=None
)


def _add_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    _same_channels(maps)
    _same_resolution(maps)
    return maps[0]


ADD = Primitive(name="add", summary="the sum of maps", parameters=(), shape=_add_shape, most=None)


def _multiply_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    """A 1x1 map is spread over the others (squeeze and excite)."""
    _same_channels(maps)
    spread = [map_ for map_ in maps if (map_.height, map_.width) != (1, 1)]
    _same_resolution(spread or maps)
    return (spread or list(maps))[0]


MULTIPLY = Primitive(
    name="multiply",
    summary="the product of maps; a 1x1 map is spread over the others",
    parameters=(),
    shape=_multiply_shape,
    least=2,
    most=None,
)
