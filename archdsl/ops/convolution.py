"""Primitives that multiply and add: conv, dwconv, linear, matmul."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.attributes import flag, pair
from archdsl.ops.channels import channel_count, same_channels, share
from archdsl.ops.dims import Count, multiply
from archdsl.ops.model import (
    Attributes,
    Channels,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Role,
    Shape,
    ShapeError,
    Traits,
    Weight,
    no_factor,
    unit_mean_square,
)
from archdsl.ops.windows import PAD, STRIDE, conv_window, window_scale

_DILATION = Parameter("d", Kind.STEP, 1)


def _bias(channels: Count, attributes: Attributes) -> tuple[Weight, ...]:
    return (Weight("bias", (channels,), Role.BIAS),) if flag(attributes, "bias") else ()


def _conv_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    channels = channel_count(attributes, "c", "output channels")
    groups = channel_count(attributes, "groups", "groups")
    share(map_.channels, groups, "input")
    share(channels, groups, "output")
    return Shape(channels, *conv_window(attributes).shape(map_))


def _conv_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    channels = channel_count(attributes, "c", "output channels")
    each = share(maps[0].channels, channel_count(attributes, "groups", "groups"), "input")
    return (Weight("weight", (channels, each, *pair(attributes, "k"))), *_bias(channels, attributes))


def _conv_macs(maps: Sequence[Shape], result: Shape, attributes: Attributes) -> Count:
    height, width = pair(attributes, "k")
    each = share(maps[0].channels, channel_count(attributes, "groups", "groups"), "input")
    return multiply(multiply(result.channels, each), height * width * result.height * result.width)


CONV = Primitive(
    name="conv",
    summary="a convolution; without `pad` it pads d * (k - 1) / 2 on each side",
    parameters=(
        Parameter("c", Kind.CHANNELS, required=True),
        Parameter("k", Kind.WINDOW, (3, 3)),
        STRIDE,
        _DILATION,
        PAD,
        Parameter("groups", Kind.GROUPS, 1),
        Parameter("bias", Kind.FLAG, default=False),
    ),
    shape=_conv_shape,
    weights=_conv_weights,
    macs=_conv_macs,
    scale=window_scale,
    mean_square=unit_mean_square,
    traits=Traits(channels=Channels.OWN, absorbs_batch_norm=True, reads=Reads.WINDOW),
)


def _dwconv_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    return Shape(map_.channels, *conv_window(attributes).shape(map_))


def _dwconv_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    channels = maps[0].channels
    return (Weight("weight", (channels, 1, *pair(attributes, "k"))), *_bias(channels, attributes))


def _dwconv_macs(_maps: Sequence[Shape], result: Shape, attributes: Attributes) -> Count:
    height, width = pair(attributes, "k")
    return multiply(result.channels, height * width * result.height * result.width)


DWCONV = Primitive(
    name="dwconv",
    summary="a depthwise convolution: one filter for each channel of its map",
    parameters=(
        Parameter("k", Kind.WINDOW, (3, 3)),
        STRIDE,
        _DILATION,
        PAD,
        Parameter("bias", Kind.FLAG, default=False),
    ),
    shape=_dwconv_shape,
    weights=_dwconv_weights,
    macs=_dwconv_macs,
    scale=window_scale,
    mean_square=unit_mean_square,
    traits=Traits(absorbs_batch_norm=True, by_channel=True, reads=Reads.WINDOW),
)


def _linear_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    if (map_.height, map_.width) != (1, 1):
        raise ShapeError(
            "E0503", f"reads a 1x1 map, and this one is {map_.height}x{map_.width}", "put `global_avg_pool` before it"
        )
    return Shape(channel_count(attributes, "c", "output channels"), 1, 1)


def _linear_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    channels = channel_count(attributes, "c", "output channels")
    return (Weight("weight", (channels, maps[0].channels)), *_bias(channels, attributes))


def _linear_macs(maps: Sequence[Shape], result: Shape, _: Attributes) -> Count:
    return multiply(maps[0].channels, result.channels)


LINEAR = Primitive(
    name="linear",
    summary="a fully connected layer on a 1x1 map",
    parameters=(
        Parameter("c", Kind.CHANNELS, required=True),
        Parameter("bias", Kind.FLAG, default=True),
    ),
    shape=_linear_shape,
    weights=_linear_weights,
    macs=_linear_macs,
    mean_square=unit_mean_square,
    traits=Traits(channels=Channels.OWN, absorbs_batch_norm=True, vector=True, reads=Reads.MAP),
)


def _matmul_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    same_channels(maps)
    left, right = maps
    if left.width != right.height:
        raise ShapeError(
            "E0502",
            f"reads matrices of {left.height}x{left.width} and {right.height}x{right.width}: "
            f"the first has {left.width} columns, the second {right.height} rows",
            "turn one of them with `transpose`" if left.width in right.size else "bring them to one length before it",
            complete=True,
        )
    return Shape(left.channels, left.height, right.width)


def _matmul_macs(maps: Sequence[Shape], result: Shape, _: Attributes) -> Count:
    return multiply(result.channels, maps[0].width * result.height * result.width)


def _matmul_mean_square(read: Sequence[float], maps: Sequence[Shape], _: Attributes) -> float:
    return maps[0].width * read[0] * read[1]


MATMUL = Primitive(
    name="matmul",
    summary="products of matrices, one for each channel: n x h x k `by` n x k x w is n x h x w",
    parameters=(),
    shape=_matmul_shape,
    macs=_matmul_macs,
    least=2,
    most=2,
    maps=("x", "by"),
    scale=no_factor,
    mean_square=_matmul_mean_square,
    traits=Traits(by_channel=True, reads=Reads.ANY),
)
