"""How a window slides over a map: padding, and the size of the result.

Without `pad` a conv pads `d * (k - 1) / 2` on each side, so that stride 1 keeps the size; its window is odd. A pool
whose window equals its stride (tiles) is not padded; any other pads `(k - 1) / 2` and has an odd window.
`pad` says something else: numbers, or "same". Each rule holds for height and width separately.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from archdsl.ops.attributes import flag, pair, step
from archdsl.ops.attributes import padding as padding_of
from archdsl.ops.model import LARGEST, Attributes, Kind, Parameter, Scale, Shape, ShapeError
from archdsl.records import record

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
"""Rows above, columns left, rows below, columns right."""

STRIDE = Parameter("s", Kind.STEP, 1)
PAD = Parameter("pad", Kind.PADDING, words=("same",))


@record
class Window:
    size: Pair
    stride: Pair
    dilation: Pair
    fixed: Sides | None
    """The padding; None where it depends on the size of the map, which TensorFlow's "same" does at a stride."""
    pools: bool = False
    ceil: bool = False
    """Whether a last window of a pool may reach over the padded map's edge."""

    @property
    def extent(self) -> Pair:
        """Rows and columns from the first to the last that it reads."""
        rows, columns = (apart * (length - 1) + 1 for length, apart in zip(self.size, self.dilation, strict=True))
        return rows, columns

    @property
    def even(self) -> Pair | None:
        """Rows above and below, columns left and right, where opposite sides have the same; else None."""
        if self.fixed is None or self.fixed[:2] != self.fixed[2:]:
            return None
        return self.fixed[:2]

    def padding(self, size: Pair, largest: Callable[[int, int], int] = max) -> Sides:
        """Of a map of this height and width; `largest` is that of numbers which a tracer knows by name alone.

        "same" is TensorFlow's: ceil(n / s) windows, and of an odd number of rows or columns one more behind the map.
        """
        if self.fixed is not None:
            return self.fixed
        rows, columns = (
            largest(extent - 1 - (length - 1) % stride, 0)
            for length, extent, stride in zip(size, self.extent, self.stride, strict=True)
        )
        return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2

    def shape(self, map_: Shape) -> Pair:
        """floor((n + before + after - d (k - 1) - 1) / s) + 1.

        Raises ShapeError (E0503) where no window fits, or more rows or columns come out than there can be.
        """
        top, left, bottom, right = self.padding(map_.size)
        height, width = self._length(map_.height, 0, top, bottom), self._length(map_.width, 1, left, right)
        if min(height, width) < 1:
            raise _too_large(self, map_)
        check_size(height, width)
        return height, width

    def _length(self, length: int, axis: int, before: int, after: int) -> int:
        room, stride = length + before + after - self.extent[axis], self.stride[axis]
        if not self.ceil:
            return room // stride + 1
        count = -(-room // stride) + 1
        # torch leaves out a last window that would begin behind the map.
        return count - 1 if (count - 1) * stride >= length + before else count


def conv_window(attributes: Attributes) -> Window:
    """Raises ShapeError (E0503) for an even window without `pad`."""
    size, dilation = pair(attributes, "k"), step(attributes, "d")
    given = padding_of(attributes, "pad")
    if given is not None:
        return _padded(Window(size, step(attributes, "s"), dilation, None), given)
    if size[0] % 2 == 0 or size[1] % 2 == 0:
        raise ShapeError(
            "E0503",
            f"has an even window of {size[0]}x{size[1]}, which has no middle",
            'say how it is padded: `pad = 0`, as patches and tiles are, or `pad = "same"`',
        )
    rows, columns = (apart * (length - 1) // 2 for length, apart in zip(size, dilation, strict=True))
    return Window(size, step(attributes, "s"), dilation, (rows, columns, rows, columns))


def pool_window(attributes: Attributes) -> Window:
    """Raises ShapeError.

    For an even window without `pad` that does not tile and for more padding than half a window (E0503), and for `ceil`
    where the padding of opposite sides differs (E0505).
    """
    size, stride, ceil = pair(attributes, "k"), step(attributes, "s"), flag(attributes, "ceil")
    window, given = Window(size, stride, (1, 1), None, pools=True, ceil=ceil), padding_of(attributes, "pad")
    if given is None:
        return _padded(window, _pool_padding(size, stride))
    if isinstance(given, tuple) and any(2 * pad > length for pad, length in zip(given, size * 2, strict=True)):
        raise ShapeError(
            "E0503",
            f"has more padding than half of its window of {size[0]}x{size[1]}",
            "make `pad` smaller: every window has to read the map",
        )
    window = _padded(window, given)
    if ceil and window.even is None:
        raise ShapeError(
            "E0505",
            "has `ceil = yes`, and padding that differs from one side to the other",
            "leave `ceil` out: more padding below and right lets the last window in",
        )
    return window


def check_size(height: int, width: int) -> None:
    """Raises ShapeError (E0503) where a map would be larger than any can be."""
    if max(height, width) > LARGEST:
        raise ShapeError("E0503", f"makes a map of more than {LARGEST:,} rows or columns, the most that there can be")


def window_scale(attributes: Attributes) -> Scale:
    rows, columns = step(attributes, "s")
    return Fraction(1, rows), Fraction(1, columns)


def _pool_padding(size: Pair, stride: Pair) -> Sides:
    if any(length % 2 == 0 and length != every for length, every in zip(size, stride, strict=True)):
        strides = f"{stride[0]}" if stride[0] == stride[1] else f"{stride[0]}x{stride[1]}"
        tiles = f"{size[0]}" if size[0] == size[1] else f"{size[0]}x{size[1]}"
        raise ShapeError(
            "E0503",
            f"has an even window of {size[0]}x{size[1]} at stride {strides}",
            f"say how it is padded (`pad = 0`), or make the stride as long as the window (`s = {tiles}`)",
        )
    rows, columns = (0 if length == every else (length - 1) // 2 for length, every in zip(size, stride, strict=True))
    return rows, columns, rows, columns


def _padded(window: Window, given: Sides | str) -> Window:
    if isinstance(given, tuple):
        return replace(window, fixed=given)
    depends = any(stride > 1 and extent > 1 for stride, extent in zip(window.stride, window.extent, strict=True))
    return window if depends else replace(window, fixed=window.padding((1, 1)))


def _too_large(window: Window, map_: Shape) -> ShapeError:
    rows, columns = window.extent
    what = "window" if window.dilation == (1, 1) else "dilated window"
    others = "let the last one be cut off (`ceil = yes`)" if window.pools else "pad more"
    return ShapeError(
        "E0503",
        f"has a {what} of {rows}x{columns}, larger than its map of {map_.height}x{map_.width}",
        f"make the window smaller, or {others}",
    )


def parts(length: int, count: int) -> tuple[tuple[int, int], ...]:
    """First and end of each of so many parts of a length, as adaptive pools of torch take them; they can overlap."""
    return tuple((index * length // count, -(-(index + 1) * length // count)) for index in range(count))
