"""Convolutions and pools with padding that torch's own do not have: more on one side than on the other.

Legend of shape suffixes: B images, C channels, H height, W width of the map read; h, w of the map written.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.ops.windows import Window

_largest = cast("Callable[[int, int], int]", vars(torch)["sym_max"])
"""Python's `max` would ask `torch.fx` for a number that only a run knows. torch types it for floats too."""


class Around(nn.Module):
    """A map with what a window pads around it."""

    def __init__(self, window: Window, value: float = 0.0) -> None:
        super().__init__()
        self.window = window
        self.value = value

    def forward(self, x_BCHW: Tensor) -> Tensor:
        top, left, bottom, right = self.window.padding((x_BCHW.shape[2], x_BCHW.shape[3]), _largest)
        return functional.pad(x_BCHW, (left, right, top, bottom), value=self.value)


class PaddedConv(nn.Conv2d):
    """A convolution without padding of its own, of a map that is padded before."""

    def __init__(self, channels: int, written: int, window: Window, *, groups: int, bias: bool) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - torch types no device
            channels, written, window.size, window.stride, dilation=window.dilation, groups=groups, bias=bias
        )
        self.around = Around(window)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(self.around(input))


class PaddedMaxPool(nn.Module):
    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window
        self.around = Around(window, -inf)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return functional.max_pool2d(self.around(x_BCHW), self.window.size, self.window.stride)


class PaddedAvgPool(nn.Module):
    """Means; padding is part of them with `count_padding`."""

    def __init__(self, window: Window, *, count_padding: bool) -> None:
        super().__init__()
        self.window = window
        self.count_padding = count_padding
        self.around = Around(window)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        means_BChw = self._means(x_BCHW)
        if self.count_padding:
            return means_BChw
        # The share of each window that lies on the map.
        share_11hw = self._means(x_BCHW.new_ones((1, 1, x_BCHW.shape[2], x_BCHW.shape[3])))
        return means_BChw / share_11hw

    def _means(self, x_BCHW: Tensor) -> Tensor:
        return functional.avg_pool2d(self.around(x_BCHW), self.window.size, self.window.stride)
