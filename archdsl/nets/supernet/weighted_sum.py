"""A weighted sum of maps as one function: one pass forward, and for each map one dot product backward (DARTS, eq. 2).

Legend of shape suffixes: B images, C channels, H height, W width, N maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def weighted_sum(weights_N: Tensor, maps_BCHW: Sequence[Tensor]) -> Tensor:
    """The sum of maps of one shape, each times its weight."""
    if torch.compiler.is_compiling():
        return _term_by_term(weights_N, maps_BCHW)
    if maps_BCHW[0].device.type != "cpu":
        return stacked_sum(weights_N, maps_BCHW)
    return _WeightedSum.apply(weights_N, *maps_BCHW)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _term_by_term(weights_N: Tensor, maps_BCHW: Sequence[Tensor]) -> Tensor:
    """In operations that a compiler joins to one."""
    first, *rest = weights_N.to(maps_BCHW[0].dtype).unbind()
    total_BCHW = maps_BCHW[0] * first
    for weight, x_BCHW in zip(rest, maps_BCHW[1:], strict=True):
        total_BCHW = total_BCHW + x_BCHW * weight
    return total_BCHW


def stacked_sum(weights_N: Tensor, maps_BCHW: Sequence[Tensor]) -> Tensor:
    """As one product with a matrix that has a map in each row: few kernels, however many maps there are."""
    like_BCHW = maps_BCHW[0]
    rows_NM = torch.stack([flat(x_BCHW, like_BCHW) for x_BCHW in maps_BCHW])
    total_M = weights_N.to(rows_NM.dtype) @ rows_NM
    batch, channels, height, width = like_BCHW.shape
    if like_BCHW.is_contiguous(memory_format=torch.channels_last):
        return total_M.view(batch, height, width, channels).permute(0, 3, 1, 2)
    return total_M.view(like_BCHW.shape)


class _WeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights_N: Tensor, *maps_BCHW: Tensor) -> Tensor:
        weights = weights_N.detach().to(maps_BCHW[0].dtype).unbind()
        total_BCHW = maps_BCHW[0] * weights[0]
        for weight, x_BCHW in zip(weights[1:], maps_BCHW[1:], strict=True):
            total_BCHW.addcmul_(x_BCHW, weight)
        # Maps are read again for the gradient of the weights alone.
        ctx.save_for_backward(weights_N, *(maps_BCHW if ctx.needs_input_grad[0] else ()))
        return total_BCHW

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad_BCHW,) = grad_outputs
        weights_N, *maps_BCHW = ctx.saved_tensors
        to_weights: Tensor | None = None
        if ctx.needs_input_grad[0]:
            grad = flat(grad_BCHW, maps_BCHW[0])
            dots = [torch.dot(grad, flat(x_BCHW, maps_BCHW[0])) for x_BCHW in maps_BCHW]
            to_weights = torch.stack(dots).to(weights_N.dtype)
        weights = weights_N.to(grad_BCHW.dtype).unbind()
        to_maps = (
            grad_BCHW * weight if needed else None
            for weight, needed in zip(weights, ctx.needs_input_grad[1:], strict=True)
        )
        return (to_weights, *to_maps)


def flat(x_BCHW: Tensor, like_BCHW: Tensor) -> Tensor:
    """The values of a map in the order in which another one has them in memory, so that mostly nothing is copied."""
    if like_BCHW.is_contiguous(memory_format=torch.channels_last):
        return x_BCHW.permute(0, 2, 3, 1).reshape(-1)
    return x_BCHW.reshape(-1)
