"""Primitives that move places of a map into channels and back: pixel shuffles."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import whole
from archdsl.ops.channels import share
from archdsl.ops.dims import multiply
from archdsl.ops.model import Attributes, Channels, Kept, Kind, Parameter, Primitive, Scale, Shape, ShapeError, Traits
from archdsl.ops.windows import check_size

_BLOCK = (Parameter("r", Kind.COUNT, required=True),)


def _to_space_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,), r = maps, whole(attributes, "r")
    try:
        channels = share(map_.channels, r * r, "input")
    except ShapeError:
        reason = f"makes {r}x{r} places of {r * r} channels, which do not divide the {map_.channels} of its map"
        raise ShapeError("E0504", reason) from None
    check_size(map_.height * r, map_.width * r)
    return Shape(channels, map_.height * r, map_.width * r)


def _to_depth_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,), r = maps, whole(attributes, "r")
    if map_.height % r or map_.width % r:
        raise ShapeError(
            "E0503",
            f"takes blocks of {r}x{r}, into which its map of {map_.height}x{map_.width} does not divide",
            "pad or crop the map before",
        )
    return Shape(multiply(map_.channels, r * r), map_.height // r, map_.width // r)


def _to_space_scale(attributes: Attributes) -> Scale:
    return Fraction(whole(attributes, "r")), Fraction(whole(attributes, "r"))


def _to_depth_scale(attributes: Attributes) -> Scale:
    return Fraction(1, whole(attributes, "r")), Fraction(1, whole(attributes, "r"))


DEPTH_TO_SPACE = Primitive(
    name="depth_to_space",
    summary="r * r channels in a row become r x r places of one, row by row: a pixel shuffle (Shi et al., 2016)",
    parameters=_BLOCK,
    shape=_to_space_shape,
    scale=_to_space_scale,
    traits=Traits(channels=Channels.OWN, kept=Kept.NOTHING),
)

SPACE_TO_DEPTH = Primitive(
    name="space_to_depth",
    summary="r x r places of a channel become r * r channels in a row: `depth_to_space` undone",
    parameters=_BLOCK,
    shape=_to_depth_shape,
    scale=_to_depth_scale,
    traits=Traits(channels=Channels.OWN, kept=Kept.NOTHING),
)
