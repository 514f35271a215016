"""Bilinear resizing of small maps as products of matrices, which a CPU has far faster kernels for.

Where a map's channels lie one behind the other, torch's bilinear kernels and their gradients take three to ten times
as long. Legend of shape suffixes: B images, C channels, h, w of the map read; H, W of the map written; P, p places.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

SMALL: Final = 64
"""The largest height or width that is read this way: the products grow with it, torch's kernels do not."""
_PLACES: Final = 128
"""Maps of at most so many places are resized by one product over places, others by one for each axis."""


def resize_bilinear(x_BChw: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """The map at another height and width, as `torch.nn.functional.interpolate` gives it up to rounding."""
    small = max(x_BChw.shape[2:]) <= SMALL and x_BChw.device.type == "cpu" and x_BChw.is_contiguous()
    if torch.compiler.is_compiling() or not small or torch.is_autocast_enabled("cpu"):
        return functional.interpolate(x_BChw, size=size, mode="bilinear", align_corners=align_corners)
    (batch, channels, height, width), (rows, columns) = x_BChw.shape, size
    by_row_Hh = _weights(height, rows, align_corners, x_BChw.dtype)
    by_column_Ww = _weights(width, columns, align_corners, x_BChw.dtype)
    if max(height * width, rows * columns) <= _PLACES:
        by_place_Pp = torch.kron(by_row_Hh, by_column_Ww)
        return (x_BChw.flatten(2) @ by_place_Pp.t()).view(batch, channels, rows, columns)
    x_BChW = x_BChw @ by_column_Ww.t()
    return by_row_Hh @ x_BChW


@lru_cache(maxsize=256)
def _weights(length: int, made: int, align_corners: bool, dtype: torch.dtype) -> Tensor:
    """Of each place made, how much it takes from each place read: torch's own, of maps that are 1 at one place."""
    with torch.no_grad():
        ones = torch.eye(length, dtype=dtype)[None, None]
        found = functional.interpolate(ones, size=(made, length), mode="bilinear", align_corners=align_corners)
    return found[0, 0]
