"""Primitives that treat each place of a map alike, beside norms and activations: dropout, softmax, argmax, shuffle."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import word
from archdsl.ops.channels import channel_count, share
from archdsl.ops.model import (
    Attributes,
    Channels,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Shape,
    Traits,
    same_shape,
)


def _softmax_mean_square(_read: Sequence[float], maps: Sequence[Shape], attributes: Attributes) -> float:
    """Of numbers that are not all equal somewhat more than of equal ones."""
    (map_,) = maps
    sizes = {"channels": map_.closed_channels, "height": map_.height, "width": map_.width}
    count = sizes.get(word(attributes, "axis"), map_.height * map_.width)
    return 1 / count**2


SOFTMAX = Primitive(
    name="softmax",
    summary='softmax over channels, over the rows (`"height"`) or the columns (`"width"`) of each channel, '
    'or over all of its `"places"`',
    parameters=(Parameter("axis", Kind.WORD, "channels", words=("channels", "height", "width", "places")),),
    shape=same_shape,
    mean_square=_softmax_mean_square,
    wider=lambda attributes: word(attributes, "axis") != "channels",
    traits=Traits(kept=Kept.WRITTEN),
)

DROPOUT = Primitive(
    name="dropout",
    summary="sets each value to zero with probability p in training; nothing at inference",
    parameters=(Parameter("p", Kind.NUMBER, Fraction(1, 2), low=0, high=1),),
    shape=same_shape,
    traits=Traits(keeps_zeros=True, by_channel=True, random=True),
)


DROP_PATH = Primitive(
    name="drop_path",
    summary="sets a whole map to zero with probability p in training, for each image alone; nothing at inference "
    "(stochastic depth: Huang et al., 2016)",
    parameters=(Parameter("p", Kind.NUMBER, required=True, low=0, high=1),),
    shape=same_shape,
    traits=Traits(keeps_zeros=True, by_channel=True, random=True, kept=Kept.NOTHING),
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
    parameters=(Parameter("groups", Kind.GROUPS, required=True),),
    shape=_shuffle_shape,
    traits=Traits(keeps_zeros=True, reorders_channels=True, kept=Kept.NOTHING),
)
