"""Pools over windows and over whole maps. `windows.py` has the rule of padding."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.attributes import flag, pair, step
from archdsl.ops.model import Attributes, Kept, Kind, Parameter, Primitive, Reads, Scale, Shape, Traits, no_factor
from archdsl.ops.windows import PAD, STRIDE, pool_window, window_scale

_WINDOW = (
    Parameter("k", Kind.WINDOW, required=True),
    STRIDE,
    PAD,
    Parameter("ceil", Kind.FLAG, default=False),
)


def _pool_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    return Shape(map_.channels, *pool_window(attributes).shape(map_))


def _global_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return Shape(maps[0].channels, 1, 1)


def _pool_scale(attributes: Attributes) -> Scale | None:
    """A padded pool that rounds up gives one more than n / s, so no factor describes it."""
    if flag(attributes, "ceil") and pair(attributes, "k") != step(attributes, "s"):
        return None
    return window_scale(attributes)


def _adaptive_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    return Shape(maps[0].channels, *pair(attributes, "size"))


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
    scale=no_factor,
    traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.NOTHING, vector=True, reads=Reads.MAP),
)

GLOBAL_MAX_POOL = Primitive(
    name="global_max_pool",
    summary="the largest value of the whole map",
    parameters=(),
    shape=_global_shape,
    scale=no_factor,
    traits=Traits(by_channel=True, keeps_zeros=True, kept=Kept.READ_AND_INDICES, vector=True, reads=Reads.MAP),
)

ADAPTIVE_AVG_POOL = Primitive(
    name="adaptive_avg_pool",
    summary="means of `size` parts of a map: part i of m along n rows is floor(i * n / m) to ceil((i + 1) * n / m)",
    parameters=(Parameter("size", Kind.WINDOW, required=True),),
    shape=_adaptive_shape,
    scale=no_factor,
    traits=Traits(by_channel=True, reads=Reads.PART),
)

ADAPTIVE_MAX_POOL = Primitive(
    name="adaptive_max_pool",
    summary="the largest values of the same parts",
    parameters=(Parameter("size", Kind.WINDOW, required=True),),
    shape=_adaptive_shape,
    scale=no_factor,
    traits=Traits(by_channel=True, kept=Kept.READ_AND_INDICES, reads=Reads.PART),
)
