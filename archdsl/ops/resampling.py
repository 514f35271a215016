"""Primitives that change the size of a map without learning: resize, crop, zero."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from archdsl.ops.attributes import flag, optional_fraction, optional_pair, step, whole, word
from archdsl.ops.model import Attributes, Kept, Kind, Parameter, Primitive, Scale, Shape, ShapeError, Traits
from archdsl.ops.windows import STRIDE, check_size, window_scale


def scaled(length: int, factor: Fraction) -> int:
    """floor(length * factor), exactly."""
    return length * factor.numerator // factor.denominator


def resized(maps: Sequence[Shape], attributes: Attributes) -> tuple[int, int]:
    """Height and width of a resize's result: of its second map, of `size`, or floor(n * factor)."""
    factor, size = optional_fraction(attributes, "factor"), optional_pair(attributes, "size")
    given = [
        name for name, present in (("a factor", factor), ("`size`", size), ("`like`", len(maps) > 1 or None)) if present
    ]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ShapeError("E0505", f"takes one of a factor, `size` and `like`, and has {found}")
    if len(maps) > 1:
        return maps[1].height, maps[1].width
    if size is not None:
        return size
    assert factor is not None
    return scaled(maps[0].height, factor), scaled(maps[0].width, factor)


def _resize_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    height, width = resized(maps, attributes)
    if min(height, width) < 1:
        raise ShapeError("E0503", f"leaves nothing of its map of {maps[0].height}x{maps[0].width}")
    check_size(height, width)
    if word(attributes, "mode") == "nearest" and flag(attributes, "align_corners"):
        raise ShapeError("E0505", "has no aligned corners in mode nearest", "leave `align_corners` out")
    return Shape(maps[0].channels, height, width)


def _resize_scale(attributes: Attributes) -> Scale | None:
    factor = optional_fraction(attributes, "factor")
    return None if factor is None else (factor, factor)


RESIZE = Primitive(
    name="resize",
    summary="a map brought to another size: by a factor, to a `size`, or `like` another map",
    parameters=(
        Parameter("factor", Kind.FACTOR),
        Parameter("size", Kind.WINDOW),
        Parameter("mode", Kind.WORD, "bilinear", words=("bilinear", "nearest", "bicubic")),
        Parameter("align_corners", Kind.FLAG, default=False),
    ),
    shape=_resize_shape,
    least=1,
    most=2,
    maps=("x", "like"),
    scale=_resize_scale,
    traits=Traits(resamples=True, like=True, keeps_zeros=True, by_channel=True, kept=Kept.NOTHING),
)


def _crop_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    height = map_.height - whole(attributes, "top") - whole(attributes, "bottom")
    width = map_.width - whole(attributes, "left") - whole(attributes, "right")
    if min(height, width) < 1:
        raise ShapeError("E0503", f"leaves nothing of its map of {map_.height}x{map_.width}")
    return Shape(map_.channels, height, width)


CROP = Primitive(
    name="crop",
    summary="a map without so many rows and columns at its edges",
    parameters=tuple(Parameter(side, Kind.INDEX, 0) for side in ("top", "left", "bottom", "right")),
    shape=_crop_shape,
    traits=Traits(keeps_zeros=True, by_channel=True, kept=Kept.NOTHING),
)


def _zero_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    rows, columns = step(attributes, "s")
    return Shape(map_.channels, (map_.height - 1) // rows + 1, (map_.width - 1) // columns + 1)


ZERO = Primitive(
    name="zero",
    summary="zeros, as large as a conv of that stride would be: no connection (DARTS 2.1)",
    parameters=(STRIDE,),
    shape=_zero_shape,
    scale=window_scale,
    traits=Traits(zeros=True, by_channel=True, kept=Kept.NOTHING),
)
