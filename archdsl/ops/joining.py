"""Primitives that make one map of several: concat, add, multiply."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archdsl.ops.channels import same_channels
from archdsl.ops.dims import Count, add
from archdsl.ops.model import Attributes, Channels, Join, Kept, Primitive, Shape, ShapeError, Traits


def _same_resolution(maps: Sequence[Shape]) -> None:
    first = maps[0]
    for other in maps[1:]:
        if (other.height, other.width) != (first.height, first.width):
            raise ShapeError(
                "E0502",
                f"reads maps of different resolution: {first.height}x{first.width} and {other.height}x{other.width}",
                "bring one to the other's size with `resize(like = …)`",
            )


def _concat_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    _same_resolution(maps)
    channels: Count = 0
    for map_ in maps:
        channels = add(channels, map_.channels)
    return Shape(channels, maps[0].height, maps[0].width)


def _concat_mean_square(read: Sequence[float], maps: Sequence[Shape], _: Attributes) -> float:
    counts = [map_.closed_channels for map_ in maps]
    return sum(square * count for square, count in zip(read, counts, strict=True)) / sum(counts)


CONCAT = Primitive(
    name="concat",
    summary="maps one behind the other, by channels",
    parameters=(),
    shape=_concat_shape,
    most=None,
    mean_square=_concat_mean_square,
    traits=Traits(
        channels=Channels.SUM, identity_of_one=True, join=Join("concat", "concat", "join"), kept=Kept.NOTHING
    ),
)


def _add_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    same_channels(maps)
    _same_resolution(maps)
    return maps[0]


def _add_mean_square(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return sum(read)


ADD = Primitive(
    name="add",
    summary="the sum of maps",
    parameters=(),
    shape=_add_shape,
    most=None,
    mean_square=_add_mean_square,
    traits=Traits(
        commutative=True, identity_of_one=True, by_channel=True, join=Join("+", "sum", "add"), kept=Kept.NOTHING
    ),
)
"""What the language itself applies for `+`, `sum` and `keep`."""


def _multiply_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    """A 1x1 map is spread over the others (squeeze and excite)."""
    same_channels(maps)
    spread = [map_ for map_ in maps if (map_.height, map_.width) != (1, 1)]
    _same_resolution(spread or maps)
    return (spread or list(maps))[0]


def _multiply_mean_square(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return prod(read)


MULTIPLY = Primitive(
    name="multiply",
    summary="the product of maps; a 1x1 map is spread over the others",
    parameters=(),
    shape=_multiply_shape,
    least=2,
    most=None,
    mean_square=_multiply_mean_square,
    traits=Traits(commutative=True, by_channel=True, join=Join("×", "product", "multiply")),
)
