"""Primitives that treat each place of a map alike: norms, activations, dropout, softmax, argmax, shuffle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from archdsl.ops.attributes import flag
from archdsl.ops.channels import channel_count, share
from archdsl.ops.model import (
    Attributes,
    Channels,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Role,
    Shape,
    Traits,
    Weight,
    unit_mean_square,
)


def _same(maps: Sequence[Shape], _: Attributes) -> Shape:
    return maps[0]


def _bn_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    size = (maps[0].channels,)
    affine = (Weight("weight", size, Role.SCALE), Weight("bias", size, Role.BIAS)) if flag(attributes, "affine") else ()
    return (*affine, Weight("running_mean", size, Role.MEAN), Weight("running_var", size, Role.VARIANCE))


BN = Primitive(
    name="bn",
    summary="a batch norm over each channel; `momentum` is the share of the new batch, as in torch",
    parameters=(
        Parameter("eps", Kind.FACTOR, Fraction(1, 100_000)),
        Parameter("affine", Kind.FLAG, default=True),
        Parameter("momentum", Kind.NUMBER, Fraction(1, 10), low=0, high=1),
    ),
    shape=_same,
    weights=_bn_weights,
    mean_square=unit_mean_square,
    traits=Traits(batch_norm=True, by_channel=True),
)


def _activation(
    name: str,
    summary: str,
    mean_square: Callable[[Sequence[float], Sequence[int]], float],
    kept: Kept = Kept.READ,
) -> Primitive:
    return Primitive(
        name=name,
        summary=summary,
        parameters=(),
        shape=_same,
        mean_square=mean_square,
        traits=Traits(activation=True, by_channel=True, kept=kept),
    )


def _times(share: float) -> Callable[[Sequence[float], Sequence[int]], float]:
    """Of a function that is nearly linear on each side of 0."""
    return lambda read, _channels: share * read[0]


def _gate(_read: Sequence[float], _channels: Sequence[int]) -> float:
    """Of a sigmoid of a standard normal."""
    return 0.3


RELU = _activation("relu", "max(x, 0)", _times(0.5), Kept.WRITTEN)
RELU6 = _activation("relu6", "min(max(x, 0), 6)", _times(0.5))
HSWISH = _activation("hswish", "x * relu6(x + 3) / 6 (MobileNetV3, section 5.2)", _times(0.4))
HSIGMOID = _activation("hsigmoid", "relu6(x + 3) / 6 (MobileNetV3, section 5.2)", _gate)
SILU = _activation("silu", "x / (1 + exp(-x)), also called swish (Ramachandran et al., 2017)", _times(0.36))
SIGMOID = _activation("sigmoid", "1 / (1 + exp(-x))", _gate, Kept.WRITTEN)


def _softmax_mean_square(_read: Sequence[float], channels: Sequence[int]) -> float:
    return 1 / channels[0] ** 2


SOFTMAX = Primitive(
    name="softmax",
    summary="softmax over channels",
    parameters=(),
    shape=_same,
    mean_square=_softmax_mean_square,
    traits=Traits(kept=Kept.WRITTEN),
)

DROPOUT = Primitive(
    name="dropout",
    summary="sets each value to zero with probability p in training; nothing at inference",
    parameters=(Parameter("p", Kind.NUMBER, Fraction(1, 2), low=0, high=1),),
    shape=_same,
    traits=Traits(by_channel=True, random=True),
)


def _argmax_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    return Shape(1, maps[0].height, maps[0].width)


ARGMAX = Primitive(
    name="argmax",
    summary="the number of the largest channel, the first of equals",
    parameters=(),
    shape=_argmax_shape,
    traits=Traits(channels=Channels.OWN, index=True, kept=Kept.NOTHING),
)


def _shuffle_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    share(maps[0].channels, channel_count(attributes, "groups", "groups"), "input")
    return maps[0]


SHUFFLE = Primitive(
    name="shuffle",
    summary="channels dealt out, one of each group in turn, so that grouped convs mix them (ShuffleNet 3.1)",
    parameters=(Parameter("groups", Kind.CHANNELS, required=True),),
    shape=_shuffle_shape,
    traits=Traits(kept=Kept.NOTHING),
)
