"""Learned maps, vectors and numbers: layer scale, positions, class tokens."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.attributes import fraction, pair
from archdsl.ops.channels import channel_count
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
    no_factor,
    unit_mean_square,
)


def _shape(_maps: Sequence[Shape], attributes: Attributes) -> Shape:
    return Shape(channel_count(attributes, "c", "channels"), *pair(attributes, "size"))


def _weights(_maps: Sequence[Shape], attributes: Attributes) -> tuple[Weight, ...]:
    channels, height, width = _shape(_maps, attributes)
    init, std = fraction(attributes, "init"), fraction(attributes, "std")
    return (Weight("weight", (channels, height, width), Role.LEARNED, init=init, std=std),)


PARAMETER = Primitive(
    name="parameter",
    summary="a learned map, as large as `like` where nothing else is said, of which the size alone is read; it begins "
    "with normally distributed numbers of mean `init` and deviation `std`",
    parameters=(
        Parameter("c", Kind.CHANNELS, of_map=True),
        Parameter("size", Kind.WINDOW, of_map=True),
        Parameter("init", Kind.NUMBER, 0),
        Parameter("std", Kind.NUMBER, 0, low=0),
    ),
    shape=_shape,
    weights=_weights,
    maps=("like",),
    scale=no_factor,
    mean_square=unit_mean_square,
    traits=Traits(channels=Channels.OWN, constant=True, kept=Kept.NOTHING),
)
