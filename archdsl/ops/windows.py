"""How a window slides: padding and the size of the result.

A conv pads `d * (k - 1) / 2` on each side, so that stride 1 keeps the size; its window is odd.
A pool whose window equals its stride (tiles) is not padded; any other pads `(k - 1) / 2` and has an odd window.
Both rules hold for height and width separately.
"""

from __future__ import annotations

from archdsl.ops.attributes import flag, pair, whole
from archdsl.ops.model import Attributes, Shape, ShapeError

Pair = tuple[int, int]


def conv_padding(attributes: Attributes) -> Pair:
    """Rows above and below, columns left and right. Raises ShapeError (E0503) for an even window."""
    height, width = pair(attributes, "k")
    _odd((height, width), "a conv's window has to be odd, so that it has a middle")
    dilation = whole(attributes, "d")
    return dilation * (height - 1) // 2, dilation * (width - 1) // 2


def conv_shape(map_: Shape, attributes: Attributes) -> Pair:
    """floor((n + 2 pad - d (k - 1) - 1) / s) + 1, which for odd windows is ceil(n / s)."""
    conv_padding(attributes)
    stride = whole(attributes, "s")
    return (map_.height - 1) // stride + 1, (map_.width - 1) // stride + 1


def pool_padding(attributes: Attributes) -> Pair:
    """Rows above and below, columns left and right. Raises ShapeError (E0503) for an even window that does not tile."""
    window, stride = pair(attributes, "k"), whole(attributes, "s")
    if any(length % 2 == 0 and length != stride for length in window):
        raise ShapeError(
            "E0503",
            f"has an even window of {window[0]}x{window[1]} at stride {stride}",
            f"make the window odd, or the stride as long as the window (`s = {window[0]}`)",
        )
    height, width = (0 if length == stride else (length - 1) // 2 for length in window)
    return height, width


def pool_shape(map_: Shape, attributes: Attributes) -> Pair:
    """Raises ShapeError (E0503) where the window is larger than the map and is not allowed to stick out (`ceil`)."""
    window, stride, ceil = pair(attributes, "k"), whole(attributes, "s"), flag(attributes, "ceil")
    sizes = [
        _pool_length(length, extent, stride, pad, ceil=ceil)
        for length, extent, pad in zip((map_.height, map_.width), window, pool_padding(attributes), strict=True)
    ]
    if min(sizes) < 1:
        raise ShapeError(
            "E0503",
            f"has a window of {window[0]}x{window[1]}, larger than its map of {map_.height}x{map_.width}",
            "make the window smaller, or let the last one be cut off (`ceil = yes`)",
        )
    return sizes[0], sizes[1]


def _pool_length(length: int, window: int, stride: int, pad: int, *, ceil: bool) -> int:
    if not ceil:
        return (length + 2 * pad - window) // stride + 1
    count = -((window - length - 2 * pad) // stride) + 1
    # torch leaves out a last window that would begin behind the map.
    return count - 1 if (count - 1) * stride >= length + pad else count


def _odd(window: Pair, reason: str) -> None:
    if window[0] % 2 == 0 or window[1] % 2 == 0:
        raise ShapeError("E0503", f"has an even window of {window[0]}x{window[1]}; {reason}")
