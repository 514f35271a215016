"""Gradients of convolutions, those of depthwise ones by the kernels that are fast on a CPU.

Where a processor's library has a fast depthwise kernel it is the forward one and the gradient of a 3x3 kernel that is
not dilated; its other gradients are up to 30 times as slow. All come down to these two. Legend of shape suffixes:
B images, C channels, H height, W width of the map read; h, w of the map written; K window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from archdsl.nets.strided_pixels import is_unsafe, pixels_read

_FAST: Final = 3
"""The largest window of a depthwise kernel whose gradient is fast."""
_BATCH: Final = 16
"""From so many images on torch runs convolutions of one pixel by its fast library, on one thread too."""
_FEW: Final = 64
"""Of so few places the library's gradient of a large kernel takes up to four times as long as a product of matrices."""
_LARGE: Final = 128
"""From so many channels on a kernel is large."""
_SMALL: Final = 2**15
"""Maps of fewer values cost less than the many calls that the fast kernels take."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a convolution moves over a map, by axis."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    def conv(self, x_BCHW: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        if self.is_product(x_BCHW, kernel):
            y_BHWC = functional.linear(x_BCHW.permute(0, 2, 3, 1), kernel[:, :, 0, 0], bias)
            return y_BHWC.permute(0, 3, 1, 2)
        if self.is_unsafe(x_BCHW, kernel):
            return functional.conv2d(pixels_read(x_BCHW, self.stride), kernel, bias, groups=self.groups)
        return functional.conv2d(x_BCHW, kernel, bias, self.stride, self.padding, self.dilation, self.groups)

    def is_unsafe(self, x_BCHW: Tensor, kernel: Tensor) -> bool:
        """Whether torch's own gradient writes past its memory (`archdsl.nets.strided_pixels`)."""
        return is_unsafe(x_BCHW.shape[1], (kernel.shape[2], kernel.shape[3]), self.stride, self.padding)

    def is_product(self, x_BCHW: Tensor, kernel: Tensor) -> bool:
        """Whether it is best run as a product of matrices: torch copies small batches to another order in memory."""
        pixelwise = tuple(kernel.shape[2:]) == self.stride == (1, 1) and self.padding == (0, 0) and self.groups == 1
        last = x_BCHW.stride(1) == 1 and x_BCHW.is_contiguous(memory_format=torch.channels_last)
        return pixelwise and last and x_BCHW.device.type == "cpu" and x_BCHW.shape[0] < _BATCH


def convolve(x_BCHW: Tensor, kernel: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """A convolution, with the gradients of this module where torch's own are slower."""
    places = x_BCHW.shape[0] * (x_BCHW.shape[2] // window.stride[0]) * (x_BCHW.shape[3] // window.stride[1])
    large = kernel.requires_grad and _is_large(places, x_BCHW, kernel, window)
    own = large or _is_slow(x_BCHW, kernel, window)
    if own and not torch.is_autocast_enabled(x_BCHW.device.type):
        return _Convolution.apply(x_BCHW, kernel, bias, window)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return window.conv(x_BCHW, kernel, bias)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, kernel: Tensor, bias: Tensor | None, window: Window) -> Tensor:
        ctx.save_for_backward(x_BCHW, kernel)
        ctx.window = window
        return window.conv(x_BCHW, kernel, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x_BCHW, kernel = ctx.saved_tensors
        return *gradients(grad_outputs[0], x_BCHW, kernel, ctx.window, ctx.needs_input_grad[:3]), None


def gradients(
    grad_BChw: Tensor, x_BCHW: Tensor, kernel: Tensor, window: Window, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Of a convolution: for the map, for the kernel and for the bias, each where it is wanted."""
    if window.is_unsafe(x_BCHW, kernel):
        return _of_pixels(grad_BChw, x_BCHW, kernel, window, wanted)
    if _is_slow(x_BCHW, kernel, window):
        to_map, to_kernel, to_bias = wanted
        return (
            _for_map(grad_BChw, x_BCHW, kernel, window) if to_map else None,
            _for_kernel(grad_BChw, x_BCHW, kernel, window) if to_kernel else None,
            grad_BChw.sum((0, 2, 3)) if to_bias else None,
        )
    if window.is_product(x_BCHW, kernel):
        return _of_product(grad_BChw, x_BCHW, kernel, wanted)
    places = grad_BChw.shape[0] * grad_BChw.shape[2] * grad_BChw.shape[3]
    if wanted[1] and _is_large(places, x_BCHW, kernel, window):
        to_map, _, to_bias = gradients(grad_BChw, x_BCHW, kernel, window, (wanted[0], False, wanted[2]))
        return to_map, _of_windows(grad_BChw, x_BCHW, kernel, window), to_bias
    if not any(wanted):
        return None, None, None
    bias_sizes = [kernel.shape[0]] if wanted[2] else None
    stride, padding, dilation = list(window.stride), list(window.padding), list(window.dilation)
    return torch.ops.aten.convolution_backward.default(
        grad_BChw, x_BCHW, kernel, bias_sizes, stride, padding, dilation, False, [0, 0], window.groups, list(wanted)
    )


def _is_large(places: int, x_BCHW: Tensor, kernel: Tensor, window: Window) -> bool:
    dense = window.groups == 1 and min(kernel.shape[:2]) >= _LARGE and kernel.shape[2] * kernel.shape[3] > 1
    return dense and places <= _FEW and x_BCHW.device.type == "cpu" and x_BCHW.is_contiguous()


def _of_windows(grad_BChw: Tensor, x_BCHW: Tensor, kernel: Tensor, window: Window) -> Tensor:
    """The gradient of a kernel, by the product of the gradient with the windows that were read."""
    size = (kernel.shape[2], kernel.shape[3])
    windows_BKN = functional.unfold(x_BCHW, size, window.dilation, window.padding, window.stride)
    windows_KN = windows_BKN.transpose(0, 1).flatten(1)
    return (grad_BChw.transpose(0, 1).flatten(1) @ windows_KN.t()).view(kernel.shape)


def _of_pixels(
    grad_BChw: Tensor, x_BCHW: Tensor, kernel: Tensor, window: Window, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """By the convolution of the pixels that are read; the others have no gradient."""
    read_BChw = _dense(pixels_read(x_BCHW, window.stride))
    to_read, to_kernel, to_bias = gradients(grad_BChw, read_BChw, kernel, replace(window, stride=(1, 1)), wanted)
    if to_read is None:
        return None, to_kernel, to_bias
    to_map = torch.zeros_like(x_BCHW)
    pixels_read(to_map, window.stride).copy_(to_read)
    return to_map, to_kernel, to_bias


def _of_product(
    grad_BCHW: Tensor, x_BCHW: Tensor, kernel: Tensor, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    batch, read, height, width = x_BCHW.shape
    written = kernel.shape[0]
    grad_NC = grad_BCHW.permute(0, 2, 3, 1).reshape(-1, written)
    to_map: Tensor | None = None
    if wanted[0]:
        to_map = (grad_NC @ kernel[:, :, 0, 0]).view(batch, height, width, read).permute(0, 3, 1, 2)
    to_kernel: Tensor | None = None
    if wanted[1]:
        to_kernel = (grad_NC.t() @ x_BCHW.permute(0, 2, 3, 1).reshape(-1, read))[:, :, None, None]
    return to_map, to_kernel, grad_NC.sum(0) if wanted[2] else None


def _is_slow(x_BCHW: Tensor, kernel: Tensor, window: Window) -> bool:
    size, dilation = tuple(kernel.shape[2:]), window.dilation
    depthwise = window.groups == kernel.shape[0] == x_BCHW.shape[1] > 1
    square = size[0] == size[1] > 1 and dilation[0] == dilation[1] and window.stride[0] == window.stride[1]
    if not (depthwise and square and x_BCHW.device.type == "cpu" and x_BCHW.numel() >= _SMALL):
        return False
    # The map written is put under windows that reach at most as far as its padding.
    reach = dilation[0] * (size[0] - 1)
    return (size[0] > _FAST or dilation[0] > 1) and max(window.padding) <= reach


def _for_map(grad_BChw: Tensor, x_BCHW: Tensor, kernel: Tensor, window: Window) -> Tensor:
    """The forward convolution with the flipped kernel, of the gradient with zeros between its places by the stride."""
    (stride, _), (dilation, _) = window.stride, window.dilation
    reach = dilation * (kernel.shape[2] - 1)
    sizes = [size - reach + 2 * pad for size, pad in zip(x_BCHW.shape[2:], window.padding, strict=True)]
    if stride > 1 or list(grad_BChw.shape[2:]) != sizes:
        spaced = _empty_like(grad_BChw, sizes).zero_()
        spaced[:, :, ::stride, ::stride] = grad_BChw
        grad_BChw = spaced
    padding = (reach - window.padding[0], reach - window.padding[1])
    return functional.conv2d(grad_BChw, kernel.flip(2, 3), None, 1, padding, dilation, window.groups)


def _for_kernel(grad_BChw: Tensor, x_BCHW: Tensor, kernel: Tensor, window: Window) -> Tensor:
    (stride, _), (dilation, _), size = window.stride, window.dilation, kernel.shape[2]
    top, left = window.padding
    blocks = -(-size // _FAST) if size > _FAST else 1
    piece = min(size, _FAST)
    # As many places as the blocks of the window reach; places that are past the map are zeros.
    rows, columns = (stride * (count - 1) + dilation * (blocks * piece - 1) + 1 for count in grad_BChw.shape[2:])
    height, width = x_BCHW.shape[2:]
    below, right = max(rows - top - height, 0), max(columns - left - width, 0)
    x_BCHW = functional.pad(x_BCHW, (left, right, top, below))[:, :, :rows, :columns]
    if dilation == stride:
        x_BCHW, stride, dilation = x_BCHW[:, :, ::dilation, ::dilation], 1, 1
    elif dilation > 1 and stride == 1:
        x_BCHW, grad_BChw = _by_phase(x_BCHW, grad_BChw, dilation, piece * blocks)
        dilation = 1
    reach = dilation * (piece - 1) + 1
    height, width = (stride * (count - 1) + reach for count in grad_BChw.shape[2:])
    grad_BChw = _dense(grad_BChw)
    rows_of_blocks: list[Tensor] = []
    for i in range(blocks):
        row: list[Tensor] = []
        for j in range(blocks):
            first, start = dilation * piece * i, dilation * piece * j
            part = _dense(x_BCHW[:, :, first : first + height, start : start + width])
            like = kernel.new_empty((kernel.shape[0], 1, piece, piece))
            _, made, _ = torch.ops.aten.convolution_backward.default(
                grad_BChw,
                part,
                like,
                None,
                [stride, stride],
                [0, 0],
                [dilation, dilation],
                False,
                [0, 0],
                window.groups,
                [False, True, False],
            )
            row.append(made)
        rows_of_blocks.append(torch.cat(row, 3) if blocks > 1 else row[0])
    found = torch.cat(rows_of_blocks, 2) if blocks > 1 else rows_of_blocks[0]
    return found[:, :, :size, :size]


def _by_phase(x_BCHW: Tensor, grad_BChw: Tensor, dilation: int, size: int) -> tuple[Tensor, Tensor]:
    """Places that a dilated window reads together, as images of their own: there the window is not dilated."""
    height, width = (-(-count // dilation) for count in grad_BChw.shape[2:])
    short = (dilation * height - grad_BChw.shape[2], dilation * width - grad_BChw.shape[3])
    if any(short):
        grad_BChw = functional.pad(grad_BChw, (0, short[1], 0, short[0]))
        x_BCHW = functional.pad(x_BCHW, (0, short[1], 0, short[0]))
    phases = [(i, j) for i in range(dilation) for j in range(dilation)]
    maps = [x_BCHW[:, :, i::dilation, j::dilation][:, :, : height + size - 1, : width + size - 1] for i, j in phases]
    return torch.cat(maps), torch.cat([grad_BChw[:, :, i::dilation, j::dilation] for i, j in phases])


def _empty_like(x_BCHW: Tensor, sizes: list[int]) -> Tensor:
    """An empty map with other heights and widths, in memory in the same order."""
    last = x_BCHW.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(
        (*x_BCHW.shape[:2], *sizes),
        dtype=x_BCHW.dtype,
        device=x_BCHW.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


def _dense(x_BCHW: Tensor) -> Tensor:
    """The map without gaps in memory."""
    order = torch.channels_last if x_BCHW.stride(1) == 1 else torch.contiguous_format
    return x_BCHW.contiguous(memory_format=order)
