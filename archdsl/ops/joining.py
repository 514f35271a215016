"""Primitives that make one map of several: concat, add, multiply."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

from archdsl.ops.attributes import word
from archdsl.ops.channels import same_channels
from archdsl.ops.dims import Count, add
from archdsl.ops.model import (
    LARGEST,
    Attributes,
    Channels,
    Join,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Scale,
    Shape,
    ShapeError,
    Traits,
)


def _same_resolution(maps: Sequence[Shape]) -> None:
    first = maps[0]
    for other in maps[1:]:
        if (other.height, other.width) != (first.height, first.width):
            raise ShapeError(
                "E0502",
                f"reads maps of different resolution: {first.height}x{first.width} and {other.height}x{other.width}",
                "bring one to the other's size with `resize(like = …)`",
            )


_AXES = ("channels", "height", "width")


def concat_axis(attributes: Attributes) -> int:
    """Along which axis of a map a concat joins: 0 for channels, 1 for height, 2 for width."""
    return _AXES.index(word(attributes, "axis"))


def _concat_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    axis = concat_axis(attributes)
    if axis:
        return _joined_by_side(maps, axis)
    _same_resolution(maps)
    channels: Count = 0
    for map_ in maps:
        channels = add(channels, map_.channels)
    return Shape(channels, maps[0].height, maps[0].width)


def _joined_by_side(maps: Sequence[Shape], axis: int) -> Shape:
    same_channels(maps)
    beside = 3 - axis
    for other in maps[1:]:
        if other[beside] != maps[0][beside]:
            raise ShapeError(
                "E0502",
                f"joins maps by their {_AXES[axis]}, and they differ in {_AXES[beside]}: "
                f"{maps[0].height}x{maps[0].width} and {other.height}x{other.width}",
                f"bring them to one {_AXES[beside]} before it",
                complete=True,
            )
    length = sum(map_.size[axis - 1] for map_ in maps)
    if length > LARGEST:
        raise ShapeError("E0503", f"makes a map of more than {LARGEST:,} rows or columns, the most that there can be")
    return Shape(maps[0].channels, *((length, maps[0].width) if axis == 1 else (maps[0].height, length)))


def _concat_channels(attributes: Attributes) -> Channels:
    return Channels.FIRST if concat_axis(attributes) else Channels.SUM


def _concat_scale(attributes: Attributes) -> Scale | None:
    return None if concat_axis(attributes) else (Fraction(1), Fraction(1))


def _concat_mean_square(read: Sequence[float], maps: Sequence[Shape], _: Attributes) -> float:
    numbers = [map_.closed_channels * map_.height * map_.width for map_ in maps]
    return sum(square * count for square, count in zip(read, numbers, strict=True)) / sum(numbers)


CONCAT = Primitive(
    name="concat",
    summary='maps one behind the other: by channels, below one another (`"height"`) or side by side (`"width"`)',
    parameters=(Parameter("axis", Kind.WORD, "channels", words=_AXES),),
    shape=_concat_shape,
    channels_by=_concat_channels,
    scale=_concat_scale,
    most=None,
    mean_square=_concat_mean_square,
    traits=Traits(
        channels=Channels.SUM,
        keeps_zeros=True,
        identity_of_one=True,
        join=Join("concat", "concat", "join"),
        kept=Kept.NOTHING,
    ),
)


def differ(one: Shape, other: Shape, *, channels: bool, spreads: bool) -> bool:
    """Whether two maps differ in their channel counts, or in height or width; `spreads` is whether a 1 fits all."""
    pairs = [(one.channels, other.channels)] if channels else [*zip(one.size, other.size, strict=True)]
    return any(left != right and not (spreads and 1 in (left, right)) for left, right in pairs)


def spread_shape(maps: Sequence[Shape]) -> Shape:
    """The shape of what is computed of maps number by number: one channel, row or column is there for all others.

    Raises ShapeError (E0501, E0502).
    """
    same_channels([map_ for map_ in maps if map_.channels != 1] or maps)
    height = max(map_.height for map_ in maps)
    width = max(map_.width for map_ in maps)
    _same_resolution(
        [
            Shape(1, height if map_.height == 1 else map_.height, width if map_.width == 1 else map_.width)
            for map_ in maps
        ]
    )
    return Shape(next((map_.channels for map_ in maps if map_.channels != 1), 1), height, width)


def _add_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return spread_shape(maps)


def _add_mean_square(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return sum(read)


ADD = Primitive(
    name="add",
    summary="the sum of maps; a side or a channel count of 1 is spread over the others",
    parameters=(),
    shape=_add_shape,
    most=None,
    mean_square=_add_mean_square,
    traits=Traits(
        commutative=True,
        adds=True,
        identity_of_one=True,
        by_channel=True,
        spreads=True,
        join=Join("+", "sum", "add"),
        kept=Kept.NOTHING,
    ),
)
"""What the language itself applies for `+`, `sum` and `keep`."""


def _multiply_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return spread_shape(maps)


def _multiply_mean_square(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return prod(read)


MULTIPLY = Primitive(
    name="multiply",
    summary="the product of maps; a side or a channel count of 1 is spread over the others",
    parameters=(),
    shape=_multiply_shape,
    least=2,
    most=None,
    mean_square=_multiply_mean_square,
    traits=Traits(
        commutative=True, keeps_zeros=True, by_channel=True, spreads=True, join=Join("×", "product", "multiply")
    ),
)
"""What the language itself applies for `*`."""
