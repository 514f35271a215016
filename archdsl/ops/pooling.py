"""Pools over windows and over whole maps. `windows.py` has the rule of padding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import flag, pair, whole
from archdsl.ops.model import Attributes, Kept, Kind, Parameter, Primitive, Reads, Shape, Traits
from archdsl.ops.windows import pool_shape

_WINDOW = (
    Parameter("k", Kind.WINDOW, required=True),
    Parameter("s", Kind.COUNT, 1),
    Parameter("ceil", Kind.FLAG, default=False),
)


def _pool_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    return Shape(map_.channels, *pool_shape(map_, attributes))


def _global_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return Shape(maps[0].channels, 1, 1)


def _pool_scale(attributes: Attributes) -> Fraction | None:
    """A padded pool that rounds up gives one more than n / s, so no factor describes it."""
    stride = whole(attributes, "s")
    if flag(attributes, "ceil") and pair(attributes, "k") != (stride, stride):
        return None
    return Fraction(1, stride)


def _no_factor(_: Attributes) -> None:
    return None


MAX_POOL = Primitive(
    name="max_pool",
    summary="the largest value in a window; padded with minus infinity",
    parameters=_WINDOW,
    shape=_pool_shape,
    scale=_pool_scale,
    traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.READ_AND_INDICES, reads=Reads.WINDOW),
)

AVG_POOL = Primitive(
    name="avg_pool",
    summary="the mean of a window; padding is not part of the mean (DARTS) unless `count_padding = yes`",
    parameters=(*_WINDOW, Parameter("count_padding", Kind.FLAG, default=False)),
    shape=_pool_shape,
    scale=_pool_scale,
    traits=Traits(by_channel=True, keeps_zeros=True, reads=Reads.WINDOW),
)

GLOBAL_AVG_POOL = Primitive(
    name="global_avg_pool",
    summary="the mean of the whole map",
    parameters=(),
    shape=_global_shape,
    scale=_no_factor,
    traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.NOTHING, vector=True, reads=Reads.MAP),
)

GLOBAL_MAX_POOL = Primitive(
    name="global_max_pool",
    summary="the largest value of the whole map",
    parameters=(),
    shape=_global_shape,
    scale=_no_factor,
    traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.READ_AND_INDICES, vector=True, reads=Reads.MAP),
)
