"""Random number generators seeded by the run's seed and the step, so that a resumed run is deterministic."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """Independent streams of random numbers, by purpose."""

    AUGMENT = 1
    NETWORK = 2
    HEAD = 3


def seed_of(seed: int, stream: Stream, step: int, rank: int = 0) -> int:
    """The seed of a stream at a step and rank, 0 to 2^63 - 1."""
    (state,) = np.random.SeedSequence([seed, stream, step, rank]).generate_state(1, np.uint64)
    return int(state >> np.uint64(1))


def generator_of(seed: int, stream: Stream, step: int, rank: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(seed, stream, step, rank))
