"""All that is random in a training is a function of its seed and the step, so that a resumed one goes on alike."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """What the numbers are for; streams do not meet."""

    AUGMENT = 1
    NETWORK = 2
    HEAD = 3


def seed_of(seed: int, stream: Stream, step: int, rank: int = 0) -> int:
    """A seed for torch, 0 to 2^63 - 1."""
    (state,) = np.random.SeedSequence([seed, stream, step, rank]).generate_state(1, np.uint64)
    return int(state >> np.uint64(1))


def generator_of(seed: int, stream: Stream, step: int, rank: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(seed, stream, step, rank))
