"""Batch norm over all processes. Legend: B images, C channels, H height, W width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from archdsl.nets import Scope
from archdsl.train.distributed import world_size
from archdsl.train.typed_torch import all_reduce, apply


class _Sum(torch.autograd.Function):
    """The sum over all processes; each one's gradient is the sum of what all of them make of it."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        summed = value.clone()
        all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        summed = gradient.clone()
        all_reduce(summed)
        return summed


def _summed(value: Tensor) -> Tensor:
    return apply(_Sum, value)


class CpuSyncBatchNorm(nn.BatchNorm2d):
    """Statistics of the joined batch, on devices for which torch has no synchronised batch norm of its own.

    Every process has equally many pixels. Gradients flow through the exchange, as in torch's for CUDA.
    """

    def forward(self, input: Tensor) -> Tensor:
        x_BCHW = input
        if not self.training or world_size() == 1:
            return super().forward(x_BCHW)
        count = x_BCHW.numel() // x_BCHW.shape[1] * world_size()
        mean_C = _summed(x_BCHW.mean((0, 2, 3))) / world_size()
        centred_BCHW = x_BCHW - mean_C[None, :, None, None]
        variance_C = _summed(centred_BCHW.square().mean((0, 2, 3))) / world_size()
        self._track(mean_C.detach(), variance_C.detach() * (count / max(1, count - 1)))
        scaled = centred_BCHW * torch.rsqrt(variance_C + self.eps)[None, :, None, None]
        if not self.affine:
            return scaled
        return scaled * self.weight[None, :, None, None] + self.bias[None, :, None, None]

    def _track(self, mean_C: Tensor, variance_C: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean_C, share)
        self.running_var.lerp_(variance_C, share)


def synchronise_batch_norms(network: Scope, *, cuda: bool) -> None:
    """Puts a synchronised norm, with equal tensors, in the place of each batch norm."""
    for scope in [each for each in network.modules() if isinstance(each, Scope)]:
        for name, child in list(scope.named_children()):
            if type(child) is nn.BatchNorm2d:
                scope.put(name, _joined(child, cuda=cuda))


def _joined(norm: nn.BatchNorm2d, *, cuda: bool) -> nn.Module:
    kind = nn.SyncBatchNorm if cuda else CpuSyncBatchNorm
    joined = kind(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    joined.load_state_dict(norm.state_dict())
    return joined.train(norm.training)
