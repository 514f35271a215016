"""A moving average of the weights, which is often better than the weights (Polyak, Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Of every floating-point tensor of a network; others are those of the last step."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network = network
        self._decay = decay
        self.tensors = {name: each.detach().clone() for name, each in network.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """After a step of the weights."""
        for name, value in self._network.state_dict().items():
            kept = self.tensors[name]
            if kept.is_floating_point():
                kept.lerp_(value, 1 - self._decay)
            else:
                kept.copy_(value)

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, kept in self.tensors.items():
            kept.copy_(tensors[name])

    @contextmanager
    def used(self) -> Generator[None]:
        """The network has the average for its weights while the body runs."""
        own = {name: each.detach().clone() for name, each in self._network.state_dict().items()}
        self._network.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self._network.load_state_dict(own)
