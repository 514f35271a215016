"""Several processes as one: their number, sums over them, the devices that they run on."""

from __future__ import annotations

import os
from typing import Any, cast

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor

from archdsl.train import typed_torch
from archdsl.train.errors import Refused


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world_size() > 1 else 0


def all_reduce_sum(value: Tensor) -> Tensor:
    """The sum over all processes, without a gradient; exact for whole numbers."""
    if world_size() == 1:
        return value
    summed = value.detach().clone()
    typed_torch.all_reduce(summed)
    return summed


def kth_largest(values_N: Tensor, k: int) -> Tensor:
    """The k-th largest of the values of all processes (1 is the largest), as a scalar without a gradient.

    Raises ValueError where there are fewer.
    """
    values_N = values_N.detach()
    if world_size() > 1:
        values_N = _gathered(values_N.topk(min(k, values_N.numel())).values)
    if k > values_N.numel():
        raise ValueError(f"there are {values_N.numel()} values, and the {k}th was asked for")
    return values_N.topk(k, sorted=True).values[-1]


def _gathered(values_N: Tensor) -> Tensor:
    """The values of every process, one after the other; processes may have different numbers of them."""
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
    """Launched. `device` is `auto`, `cpu` or `cuda`. Raises Refused where it is not there."""
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
