"""The transposed convolution: each place of the map writes a window of the result."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import both, flag, pair
from archdsl.ops.channels import channel_count, share
from archdsl.ops.dims import Count, multiply
from archdsl.ops.model import (
    Attributes,
    Channels,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Role,
    Scale,
    Shape,
    ShapeError,
    Traits,
    Weight,
    unit_mean_square,
)
from archdsl.ops.windows import STRIDE, check_size


def _shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    """(n - 1) s - 2 pad + d (k - 1) + output_pad + 1."""
    (map_,) = maps
    channels, groups = channel_count(attributes, "c", "output channels"), channel_count(attributes, "groups", "groups")
    share(map_.channels, groups, "input")
    share(channels, groups, "output")
    height, width = (_length(map_.size[axis], axis, attributes) for axis in (0, 1))
    if min(height, width) < 1:
        raise ShapeError("E0503", f"leaves nothing of its map of {map_.height}x{map_.width}", "make `pad` smaller")
    check_size(height, width)
    return Shape(channels, height, width)


def _length(length: int, axis: int, attributes: Attributes) -> int:
    stride, dilation, more = (both(attributes, name)[axis] for name in ("s", "d", "output_pad"))
    if more >= stride:
        raise ShapeError(
            "E0503",
            f"has an `output_pad` of {more} at stride {stride}; it tells sizes apart that the stride makes one",
            "make `output_pad` smaller than the stride",
        )
    window, pad = pair(attributes, "k")[axis], both(attributes, "pad")[axis]
    return (length - 1) * stride - 2 * pad + dilation * (window - 1) + more + 1


def _weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    channels = channel_count(attributes, "c", "output channels")
    each = share(channels, channel_count(attributes, "groups", "groups"), "output")
    rows, columns = both(attributes, "s")
    groups = attributes["groups"]
    share_of_map = Fraction(1, rows * columns * (groups if isinstance(groups, int) else 1))
    size = (maps[0].channels, each, *pair(attributes, "k"))
    weight = Weight("weight", size, axis=1, share=share_of_map)
    return (weight, Weight("bias", (channels,), Role.BIAS)) if flag(attributes, "bias") else (weight,)


def _macs(maps: Sequence[Shape], _: Shape, attributes: Attributes) -> Count:
    (map_,) = maps
    height, width = pair(attributes, "k")
    channels = channel_count(attributes, "c", "output channels")
    each = share(channels, channel_count(attributes, "groups", "groups"), "output")
    return multiply(multiply(map_.channels, each), height * width * map_.height * map_.width)


def _scale(attributes: Attributes) -> Scale:
    rows, columns = both(attributes, "s")
    return Fraction(rows), Fraction(columns)


CONV_TRANSPOSE = Primitive(
    name="conv_transpose",
    summary="a transposed convolution of (n - 1) * s - 2 * pad + d * (k - 1) + output_pad + 1 rows, as torch has it",
    parameters=(
        Parameter("c", Kind.CHANNELS, required=True),
        Parameter("k", Kind.WINDOW, required=True),
        STRIDE,
        Parameter("d", Kind.STEP, 1),
        Parameter("pad", Kind.MARGIN, (0, 0)),
        Parameter("output_pad", Kind.MARGIN, (0, 0)),
        Parameter("groups", Kind.GROUPS, 1),
        Parameter("bias", Kind.FLAG, default=False),
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    scale=_scale,
    mean_square=unit_mean_square,
    traits=Traits(channels=Channels.OWN, absorbs_batch_norm=True, reads=Reads.SPREAD),
)
