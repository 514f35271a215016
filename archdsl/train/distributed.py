"""Data parallelism: processes, reductions over them, synchronised batch norm, devices and precision.

Legend: B images, C channels, H height, W width, N values.
"""

from __future__ import annotations

import os
from typing import Any, cast

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl.nets import Scope
from archdsl.train import typed_torch
from archdsl.train.errors import Refused
from archdsl.train.typed_torch import all_reduce, apply


def world_size() -> int:
    """The number of processes; 1 without data parallelism."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world_size() > 1 else 0


def all_reduce_sum(value: Tensor) -> Tensor:
    """The sum over all processes, detached from the graph; exact for integers."""
    if world_size() == 1:
        return value
    summed = value.detach().clone()
    typed_torch.all_reduce(summed)
    return summed


def kth_largest(values_N: Tensor, k: int) -> Tensor:
    """The k-th largest value over all processes (k from 1), as a detached scalar.

    Raises ValueError where there are fewer.
    """
    values_N = values_N.detach()
    if world_size() > 1:
        values_N = _gathered(values_N.topk(min(k, values_N.numel())).values)
    if k > values_N.numel():
        raise ValueError(f"there are {values_N.numel()} values, and the {k}th was asked for")
    return values_N.topk(k, sorted=True).values[-1]


def _gathered(values_N: Tensor) -> Tensor:
    """The values of all processes, concatenated; their number may differ between processes."""
    counts = [torch.zeros(1, dtype=torch.long, device=values_N.device) for _ in range(world_size())]
    typed_torch.all_gather(counts, torch.tensor([values_N.numel()], device=values_N.device))
    longest = max(int(count) for count in counts)
    padded = values_N.new_zeros(longest)
    padded[: values_N.numel()] = values_N
    gathered = [values_N.new_zeros(longest) for _ in counts]
    typed_torch.all_gather(gathered, padded)
    return torch.cat([each[: int(count)] for each, count in zip(gathered, counts, strict=True)])


_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fabric_of(device: str, precision: str) -> Fabric:
    """A launched Fabric. `device` is `auto`, `cpu` or `cuda`. Raises Refused for an unavailable device or precision."""
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise Refused("there is no CUDA device that this torch can use: take `--device cpu`")
    accelerator = "cuda" if cuda and device != "cpu" else "cpu"
    if precision == "fp16" and accelerator == "cpu":
        raise Refused("fp16 needs a CUDA device: take `--precision bf16` or `fp32`")
    processes, here = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=accelerator,
        strategy="ddp" if processes > 1 else "auto",
        devices=here if processes > 1 else 1,
        num_nodes=processes // here,
        precision=cast("Any", _PRECISIONS[precision]),
    )
    fabric.launch()
    return fabric


class _Sum(torch.autograd.Function):
    """The sum over all processes; the backward pass sums the gradients of all processes, with gradients of its own."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        summed = value.clone()
        all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _summed(gradient)


def _summed(value: Tensor) -> Tensor:
    return apply(_Sum, value)


def batch_norm_over_processes(
    x_BCHW: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    /,
) -> Tensor:
    """As `torch.nn.functional.batch_norm`, by the statistics of the batch of all processes.

    Every process has the same number of pixels. Gradients flow through the reduction, as in `nn.SyncBatchNorm`. Where
    nothing has gradients each process is by itself: processes score different images.
    """
    if not training or world_size() == 1 or not torch.is_grad_enabled():
        return nn.functional.batch_norm(x_BCHW, running_mean, running_var, weight, bias, training, momentum, eps)
    count = x_BCHW.numel() // x_BCHW.shape[1] * world_size()
    mean_C = _summed(x_BCHW.mean((0, 2, 3))) / world_size()
    centred_BCHW = x_BCHW - mean_C[None, :, None, None]
    variance_C = _summed(centred_BCHW.square().mean((0, 2, 3))) / world_size()
    if running_mean is not None and running_var is not None:
        running_mean.lerp_(mean_C.detach(), momentum)
        running_var.lerp_(variance_C.detach() * (count / max(1, count - 1)), momentum)
    scaled = centred_BCHW * torch.rsqrt(variance_C + eps)[None, :, None, None]
    if weight is not None:
        scaled = scaled * weight[None, :, None, None]
    return scaled if bias is None else scaled + bias[None, :, None, None]


class CpuSyncBatchNorm(nn.BatchNorm2d):
    """Synchronised batch norm for devices other than CUDA: statistics of the batch of all processes."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or world_size() == 1:
            return super().forward(input)
        momentum = self.momentum
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            momentum = momentum if momentum is not None else 1.0 / float(self.num_batches_tracked)
        return batch_norm_over_processes(
            input, self.running_mean, self.running_var, self.weight, self.bias, True, momentum or 0.0, self.eps
        )


def synchronise_batch_norms(network: Scope, *, cuda: bool) -> None:
    """Replaces each batch norm by a synchronised one with the same tensors."""
    for scope in [each for each in network.modules() if isinstance(each, Scope)]:
        for name, child in list(scope.named_children()):
            if type(child) is nn.BatchNorm2d:
                scope.put(name, _joined(child, cuda=cuda))


def _joined(norm: nn.BatchNorm2d, *, cuda: bool) -> nn.Module:
    kind = nn.SyncBatchNorm if cuda else CpuSyncBatchNorm
    joined = kind(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    joined.load_state_dict(norm.state_dict())
    return joined.train(norm.training)
