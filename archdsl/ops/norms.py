"""Norms: maps brought to mean 0 and deviation 1, by batches, by places or by groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import flag
from archdsl.ops.channels import channel_count, share
from archdsl.ops.model import (
    Attributes,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Role,
    Shape,
    Traits,
    Weight,
    same_shape,
    unit_mean_square,
)

_EPS = Parameter("eps", Kind.FACTOR, Fraction(1, 100_000))
_AFFINE = Parameter("affine", Kind.FLAG, default=True)


def _affine(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    if not flag(attributes, "affine"):
        return ()
    size = (maps[0].channels,)
    return Weight("weight", size, Role.SCALE), Weight("bias", size, Role.BIAS)


def _bn_weights(maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    size = (maps[0].channels,)
    statistics = Weight("running_mean", size, Role.MEAN), Weight("running_var", size, Role.VARIANCE)
    return (*_affine(maps, attributes), *statistics)


BN = Primitive(
    name="bn",
    summary="a batch norm over each channel; `momentum` is the share of the new batch, as in torch",
    parameters=(_EPS, _AFFINE, Parameter("momentum", Kind.NUMBER, Fraction(1, 10), low=0, high=1)),
    shape=same_shape,
    weights=_bn_weights,
    mean_square=unit_mean_square,
    traits=Traits(batch_norm=True, by_channel=True),
)

LAYER_NORM = Primitive(
    name="layer_norm",
    summary="a norm over the channels of each place (Ba et al., 2016), as in ConvNeXt and transformers",
    parameters=(_EPS, _AFFINE),
    shape=same_shape,
    weights=_affine,
    mean_square=unit_mean_square,
)


def _group_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    share(maps[0].channels, channel_count(attributes, "groups", "groups"), "input")
    return maps[0]


GROUP_NORM = Primitive(
    name="group_norm",
    summary="a norm over groups of channels (Wu and He, 2018); an instance norm with as many groups as channels",
    parameters=(Parameter("groups", Kind.GROUPS, required=True), _EPS, _AFFINE),
    shape=_group_shape,
    weights=_affine,
    mean_square=unit_mean_square,
    traits=Traits(reads=Reads.MAP),
)
