"""One batch over several processes: sums and orders as one process with the whole batch would have them."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world() > 1 else 0


def total(value: Tensor) -> Tensor:
    """The sum over all processes, without a gradient; exact for whole numbers."""
    if world() == 1:
        return value
    summed = value.detach().clone()
    dist.all_reduce(summed)
    return summed


def kth_largest(values_N: Tensor, k: int) -> Tensor:
    """The k-th largest of the values of all processes (1 is the largest), as a scalar without a gradient.

    Raises ValueError where there are fewer.
    """
    values_N = values_N.detach()
    if world() > 1:
        values_N = _gathered(values_N.topk(min(k, values_N.numel())).values)
    if k > values_N.numel():
        raise ValueError(f"there are {values_N.numel()} values, and the {k}th was asked for")
    return values_N.topk(k, sorted=True).values[-1]


def _gathered(values_N: Tensor) -> Tensor:
    """The values of every process, one after the other; processes may have different numbers of them."""
    counts = [torch.zeros(1, dtype=torch.long, device=values_N.device) for _ in range(world())]
    dist.all_gather(counts, torch.tensor([values_N.numel()], device=values_N.device))
    longest = max(int(count) for count in counts)
    padded = values_N.new_zeros(longest)
    padded[: values_N.numel()] = values_N
    gathered = [values_N.new_zeros(longest) for _ in counts]
    dist.all_gather(gathered, padded)
    return torch.cat([each[: int(count)] for each, count in zip(gathered, counts, strict=True)])
