"""Strided convolutions of one pixel on narrow maps, which torch's library for processors gets wrong.

oneDNN in torch 2.13 writes past its memory in the gradient of such a convolution, where the map or the kernel lies
channels last and the map has less than 8 channels: the process dies, then or later. The same convolution without a
stride, of the pixels that are read, is right.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

ENOUGH: Final = 8
"""From so many channels on the library is right."""


def is_unsafe(channels: int, size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]) -> bool:
    """Whether a convolution, by the channels of the map, its window, stride and padding, is one of these."""
    return channels < ENOUGH and size == (1, 1) and max(stride) > 1 and padding == (0, 0)


def pixels_read(x_BCHW: Tensor, stride: tuple[int, int]) -> Tensor:
    """The pixels that a window of one pixel stands on."""
    return x_BCHW[:, :, :: stride[0], :: stride[1]]


class StridedPixels(nn.Conv2d):
    """Such a convolution as a layer."""

    def forward(self, input: Tensor) -> Tensor:
        rows, columns = self.stride
        assert isinstance(rows, int)
        assert isinstance(columns, int)
        return functional.conv2d(pixels_read(input, (rows, columns)), self.weight, self.bias, groups=self.groups)
