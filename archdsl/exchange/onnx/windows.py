"""How a window slides over a map, in the terms of ONNX and in those of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from archdsl.exchange.onnx.model import Map, Reader, attributes_of


@dataclass(frozen=True, slots=True)
class Window:
    """How a window slides, in ONNX's terms."""

    size: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]
    """Top, left, bottom, right."""

    @classmethod
    def of(cls, reader: Reader, node: onnx.NodeProto, size: Sequence[int]) -> Window:
        given = attributes_of(node)
        strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
        pads = given.get("pads", [0] * 4)
        if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            raise reader.unfit(node, "`auto_pad` is not read: export it with `pads`")
        if not len(size) == len(strides) == len(dilations) == 2 or len(pads) != 4:
            raise reader.unfit(node, "only windows over two axes are read")
        top, left, bottom, right = pads
        return cls(
            (size[0], size[1]), (strides[0], strides[1]), (dilations[0], dilations[1]), (top, left, bottom, right)
        )

    def words(self, *, default: int | None, tiles: bool = False) -> list[str]:
        """What differs from the defaults of a primitive; `default` is that of `k`."""
        own: list[int] = []
        for length, stride, dilation in zip(self.size, self.strides, self.dilations, strict=True):
            tile = tiles and length == stride
            own.append(0 if tile else dilation * (length - 1) // 2 if length % 2 else -1)
        words = [pair_word("k", self.size, default), pair_word("s", self.strides, 1), pair_word("d", self.dilations, 1)]
        if self.pads != (*own, *own):
            words.append(f"pad = {pads_word(self.pads)}")
        return [word for word in words if word]

    def sides(self, map_: Map, *, ceil: bool = False) -> tuple[int, int]:
        height, width = (
            windows_of(length + self.pads[axis] + self.pads[axis + 2], self, axis, ceil=ceil)
            for axis, length in enumerate((map_.height, map_.width))
        )
        return height, width


def windows_of(length: int, window: Window, axis: int, *, ceil: bool) -> int:
    """How many windows a padded length has; the last may stick out, where it begins within the map."""
    rest = length - window.dilations[axis] * (window.size[axis] - 1) - 1
    count = (-(-rest // window.strides[axis]) if ceil else rest // window.strides[axis]) + 1
    outside = ceil and (count - 1) * window.strides[axis] >= length - window.pads[axis + 2]
    return count - 1 if outside else count


def pair_word(name: str, pair: Sequence[int], default: int | None) -> str:
    height, width = pair
    if height == width:
        return "" if height == default else f"{name} = {height}"
    return f"{name} = {height}x{width}"


def pads_word(pads: tuple[int, int, int, int]) -> str:
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        return f"{top}x{left}x{bottom}x{right}"
    return str(top) if top == left else f"{top}x{left}"
