"""Passes that only look: what they would change of a network is as it was before."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def kept_statistics(network: nn.Module) -> Generator[None]:
    """Behind it, buffers such as batch norms' statistics are as before."""
    buffers = [(each, each.detach().clone()) for each in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


@contextmanager
def frozen(network: nn.Module) -> Generator[None]:
    """Within it, its parameters take no gradients."""
    taking = [each for each in network.parameters() if each.requires_grad]
    try:
        for each in taking:
            each.requires_grad_(False)
        yield
    finally:
        for each in taking:
            each.requires_grad_(True)


@contextmanager
def undisturbed(network: nn.Module) -> Generator[None]:
    """Both."""
    with kept_statistics(network), frozen(network):
        yield
