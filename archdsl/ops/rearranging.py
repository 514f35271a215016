"""Primitives that move numbers and compute none: slice, flatten, transpose, tokens, untokens.

A map is a stack of matrices, one for each channel: that is how `matmul` reads it. `tokens` makes one matrix for each
head of an attention, with a row for each place of a map; `untokens` makes a map of them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.attributes import number_or_dim, optional_pair
from archdsl.ops.channels import channel_count, checked, share
from archdsl.ops.dims import Count, Dim, add, divide, multiply, values
from archdsl.ops.model import (
    LARGEST,
    Attributes,
    Channels,
    Kept,
    Kind,
    Parameter,
    Primitive,
    Reads,
    Shape,
    ShapeError,
    Traits,
    no_factor,
)


def _slice_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    given, end = number_or_dim(attributes, "from"), channel_count(attributes, "to", "channels before its end")
    first = 0 if given == 0 else checked(given, "channels before its beginning")
    _not_negative(add(map_.channels, multiply(end, -1)), f"ends behind the {map_.channels} channels of its map")
    count = add(end, multiply(first, -1))
    _not_negative(add(count, -1), "holds no channel", "`to` is the channel behind the last one: write a larger one")
    return Shape(count, map_.height, map_.width)


def _not_negative(count: Count, reason: str, help: str | None = None) -> None:
    """Raises ShapeError (E0504) where some answer makes it less than 0."""
    if min(values(count) or (0,)) < 0:
        raise ShapeError("E0504", reason, help)


SLICE = Primitive(
    name="slice",
    summary="the channels from number `from` on, counted from 0, to the one before `to`",
    parameters=(Parameter("from", Kind.CHANNELS, 0), Parameter("to", Kind.CHANNELS, required=True)),
    shape=_slice_shape,
    traits=Traits(channels=Channels.OWN, kept=Kept.NOTHING),
)


def _flatten_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    (map_,) = maps
    return Shape(checked(multiply(map_.channels, map_.height * map_.width), "output channels"), 1, 1)


FLATTEN = Primitive(
    name="flatten",
    summary="all numbers of a map as channels of a 1x1 map, channel by channel and row by row",
    parameters=(),
    shape=_flatten_shape,
    scale=no_factor,
    traits=Traits(channels=Channels.DERIVED, vector=True, kept=Kept.NOTHING, reads=Reads.MAP),
)


def _transpose_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    (map_,) = maps
    return Shape(map_.channels, map_.width, map_.height)


TRANSPOSE = Primitive(
    name="transpose",
    summary="height and width swapped: the matrix of each channel transposed",
    parameters=(),
    shape=_transpose_shape,
    scale=no_factor,
    traits=Traits(by_channel=True, kept=Kept.NOTHING, reads=Reads.ANY),
)

_IN_WINDOWS = Parameter("window", Kind.WINDOW)


def _tokens_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    (map_,) = maps
    heads = channel_count(attributes, "heads", "heads")
    width = _head_width(map_.channels, heads)
    windows, rows = _windows(map_.size, optional_pair(attributes, "window"))
    if rows > LARGEST:
        raise ShapeError("E0503", f"makes matrices of {rows:,} rows, and a map has at most {LARGEST:,}")
    return Shape(checked(multiply(heads, windows), "matrices"), rows, width)


def _head_width(channels: Count, heads: Count) -> int:
    """The channels of a head. Raises ShapeError (E0504) where answers decide them."""
    if isinstance(channels, int) and isinstance(heads, Dim):
        raise ShapeError(
            "E0504",
            f"makes matrices of {channels} / `{heads}` columns, the channels of a head, which must be static",
            "ask for the op around it: `x -> {attention(heads = 2), attention(heads = 4)}`",
        )
    width = share(channels, heads, "input", "heads")
    if isinstance(width, int):
        return width
    raise ShapeError(
        "E0504",
        f"makes matrices of `{width}` columns, the channels of a head, which must be static",
        "let the number of heads grow with the width: `heads = channels(x) / 32`",
    )


def _windows(size: tuple[int, int], window: tuple[int, int] | None) -> tuple[int, int]:
    """How many windows tile a map, and how many places each has. Raises ShapeError (E0503) where they do not."""
    (height, width), (rows, columns) = size, window or size
    if height % rows or width % columns:
        raise ShapeError("E0503", f"has windows of {rows}x{columns}, which do not tile a map of {height}x{width}")
    return (height // rows) * (width // columns), rows * columns


TOKENS = Primitive(
    name="tokens",
    summary="places as rows of matrices: c x h x w is heads x (h * w) x (c / heads), by each `window` apart if given",
    parameters=(Parameter("heads", Kind.CHANNELS, 1), _IN_WINDOWS),
    shape=_tokens_shape,
    scale=no_factor,
    traits=Traits(channels=Channels.DERIVED, kept=Kept.NOTHING, reads=Reads.ANY),
)


def _untokened(maps: Sequence[Shape], attributes: Attributes) -> tuple[int, int]:
    """Height and width of the map that `untokens` makes: of its second map, of `size`, or a column of its rows."""
    size = optional_pair(attributes, "size")
    if len(maps) > 1 and size is not None:
        raise ShapeError("E0505", "takes one of `size` and `like`, and has both")
    if len(maps) == 1 and size is None and attributes["window"] is not None:
        raise ShapeError("E0505", "has windows of a map whose size is not said", "name a map like it: `like = x`")
    return maps[1].size if len(maps) > 1 else size or (maps[0].height, 1)


def _untokens_shape(maps: Sequence[Shape], attributes: Attributes) -> Shape:
    matrices = maps[0]
    height, width = _untokened(maps, attributes)
    windows, rows = _windows((height, width), optional_pair(attributes, "window"))
    if rows != matrices.height:
        raise ShapeError(
            "E0503",
            f"reads matrices of {matrices.height} rows, and {_place_count(rows, windows)} make a map of "
            f"{height}x{width}",
            "take away and add as many tokens before it, or name the map that they are of (`like = x`)",
        )
    heads = checked(divide(matrices.channels, windows), "heads")
    return Shape(checked(multiply(heads, matrices.width), "output channels"), height, width)


def _place_count(rows: int, windows: int) -> str:
    return f"{rows} of each of {windows} windows" if windows > 1 else str(rows)


UNTOKENS = Primitive(
    name="untokens",
    summary="rows of matrices as places of a map, of `size` or `like` another; without either heads x n x d is "
    "(heads * d) x n x 1",
    parameters=(Parameter("size", Kind.WINDOW), _IN_WINDOWS),
    shape=_untokens_shape,
    least=1,
    most=2,
    maps=("x", "like"),
    scale=no_factor,
    traits=Traits(channels=Channels.DERIVED, like=True, kept=Kept.NOTHING, reads=Reads.ANY),
)
