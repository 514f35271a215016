"""Primitives of calculations with maps: by a number, of two maps, over channels, rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

from archdsl.ops.attributes import fraction
from archdsl.ops.joining import spread_shape
from archdsl.ops.model import (
    Attributes,
    Channels,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Shape,
    Traits,
    no_factor,
    same_shape,
)


def _affine_mean_square(read: Sequence[float], _maps: Sequence[Shape], attributes: Attributes) -> float:
    return float(fraction(attributes, "times")) ** 2 * read[0] + float(fraction(attributes, "plus")) ** 2


AFFINE = Primitive(
    name="affine",
    summary="x * times + plus: what `2 * x`, `x + 1` and `-x` are",
    parameters=(Parameter("times", Kind.NUMBER, 1), Parameter("plus", Kind.NUMBER, 0)),
    shape=same_shape,
    mean_square=_affine_mean_square,
    traits=Traits(by_channel=True, kept=Kept.NOTHING),
)
"""What the language itself applies for numbers beside maps."""


def _divide_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return spread_shape(maps)


def _divide_mean_square(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return read[0]


DIVIDE = Primitive(
    name="divide",
    summary="the quotient of two maps, `a / b` or `a -> divide(by = b)`; a side or a channel count of 1 is spread",
    parameters=(),
    shape=_divide_shape,
    least=2,
    most=2,
    maps=("x", "by"),
    mean_square=_divide_mean_square,
    traits=Traits(by_channel=True, spreads=True),
)


def _one_channel(maps: Sequence[Shape], _: Attributes) -> Shape:
    return maps[0]._replace(channels=1)


def _over_channels(
    name: str, summary: str, mean_square: Callable[[float, int], float], kept: Kept = Kept.NOTHING
) -> Primitive:
    """`mean_square` is of the mean square of a map and its channels."""

    def rule(read: Sequence[float], maps: Sequence[Shape], _: Attributes) -> float:
        return mean_square(read[0], maps[0].closed_channels)

    return Primitive(
        name=name,
        summary=summary,
        parameters=(),
        shape=_one_channel,
        mean_square=rule,
        traits=Traits(channels=Channels.OWN, keeps_zeros=True, kept=kept),
    )


CHANNEL_MEAN = _over_channels(
    "channel_mean", "the mean over the channels of each place, as one channel", lambda square, count: square / count
)
CHANNEL_MAX = _over_channels(
    "channel_max",
    "the largest value of the channels of each place, as one channel",
    lambda square, count: square * max(1.0, 2 * log(count)),
    Kept.READ,
)
CHANNEL_SUM = _over_channels(
    "channel_sum", "the sum over the channels of each place, as one channel", lambda square, count: square * count
)


def _along(
    name: str, summary: str, reads: Reads, side: Callable[[Shape], int], shape: Callable[[Shape], Shape]
) -> Primitive:
    """A mean along rows or columns; `side` is how many numbers it is of."""

    def mean_square(read: Sequence[float], maps: Sequence[Shape], _: Attributes) -> float:
        return read[0] / side(maps[0])

    return Primitive(
        name=name,
        summary=summary,
        parameters=(),
        shape=lambda maps, _: shape(maps[0]),
        scale=no_factor,
        mean_square=mean_square,
        traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.NOTHING, reads=reads),
    )


ROW_MEAN = _along(
    "row_mean",
    "the mean of each row, as a column (Coordinate Attention, section 3.2)",
    Reads.ROW,
    lambda map_: map_.width,
    lambda map_: map_._replace(width=1),
)
COLUMN_MEAN = _along(
    "column_mean",
    "the mean of each column, as a row (Coordinate Attention, section 3.2)",
    Reads.COLUMN,
    lambda map_: map_.height,
    lambda map_: map_._replace(height=1),
)
