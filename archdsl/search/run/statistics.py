"""Running statistics of batch norms, left as they are by passes that only look."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def kept_statistics(network: nn.Module) -> Generator[None]:
    """What passes within it do to running statistics is undone after it."""
    before = {name: each.detach().clone() for name, each in network.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, each in network.named_buffers():
                each.copy_(before[name])
