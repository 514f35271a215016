"""A weighted sum of rows of layers of which every map is kept for the gradient, in torch's own operations.

Where maps are small, calls cost more than maps: then it takes less time than `archdsl.nets.supernet.rows`. The weight
of a row that ends in a batch norm goes into the batch norm's here too. Legend of shape suffixes: B images, C channels,
H height, W width, N rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from archdsl.nets.supernet.convolutions import convolve
from archdsl.nets.supernet.rows import Convolution, Norm, Rectifier, RowOfLayers


def kept_sum_of_rows(weights_N: Tensor | None, maps_BCHW: Sequence[Tensor], rows: Sequence[RowOfLayers]) -> Tensor:
    """The sum of rows, of those that have a weight each times the next of the weights.

    Running statistics are updated where batch norms train.
    """
    parts = iter(()) if weights_N is None else iter(weights_N.unbind())
    first, *rest = rows
    total_BCHW = _run(first, maps_BCHW[first.source], next(parts) if first.weighed else None)
    for row in rest:
        total_BCHW = total_BCHW + _run(row, maps_BCHW[row.source], next(parts) if row.weighed else None)
    return total_BCHW


def _run(row: RowOfLayers, x_BCHW: Tensor, weight: Tensor | None) -> Tensor:
    last = len(row.pieces) - 1
    before: Convolution | Norm | Rectifier | None = None
    for position, piece in enumerate(row.pieces):
        match piece:
            case Convolution(window, kernel, bias):
                x_BCHW = convolve(x_BCHW, kernel, bias, window)
            case Norm():
                scale, shift = piece.weight, piece.bias
                if position == last and weight is not None:
                    scale = weight.expand(x_BCHW.shape[1]) if scale is None else scale * weight
                    shift = None if shift is None else shift * weight
                    weight = None
                x_BCHW = torch.batch_norm(
                    x_BCHW,
                    scale,
                    shift,
                    piece.running_mean,
                    piece.running_var,
                    piece.training,
                    piece.momentum,
                    piece.eps,
                    False,
                )
            case Rectifier():
                # The gradient of a batch norm reads what it read and not what it gave.
                x_BCHW = torch.relu_(x_BCHW) if isinstance(before, Norm) else torch.relu(x_BCHW)
        before = piece
    return x_BCHW if weight is None else x_BCHW * weight.to(x_BCHW.dtype)
