"""The state of a training at a step, as checkpoints keep it, and the seeds of its random numbers there.

Random numbers depend on the run's seed and the step alone, so that a resumed training needs no state of generators.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import nn

from archdsl.train import checkpoints
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.errors import check_weights
from archdsl.train.optimizers import Ema


@dataclass(slots=True)
class State:
    """What a training changes, step by step."""

    learner: nn.Module
    optimizer: torch.optim.Optimizer
    """Over `trained(learner)`."""
    average: Ema | None
    step: int = 0
    """The number of steps taken."""
    best: float | None = None
    """The best score so far, 0 to 1; None where nothing was evaluated."""

    def checkpoint(self, **more: int) -> Checkpoint:
        """All of it, with further entries of the checkpoint's state."""
        names = list(trained(self.learner))
        tensors = {f"learner.{name}": each for name, each in self.learner.state_dict().items()}
        kept = checkpoints.optimizer_tensors(self.optimizer, names)
        tensors |= {f"optimizer.{name}": each for name, each in kept.items()}
        if self.average is not None:
            tensors |= {f"average.{name}": each for name, each in self.average.tensors.items()}
        return Checkpoint(self.step, tensors, {"best": self.best, **more})

    def restore(self, found: Checkpoint) -> None:
        """Raises BrokenCheckpoint where the checkpoint is of another network."""
        try:
            self.learner.load_state_dict(found.part("learner"))
        except RuntimeError as error:
            raise BrokenCheckpoint(f"the checkpoint of step {found.step} is of another network: {error}") from None
        checkpoints.restore_optimizer(self.optimizer, list(trained(self.learner)), found.part("optimizer"))
        if self.average is not None:
            self._restore_average(self.average, found)
        self.step, self.best = found.step, found.state.get("best")

    def _restore_average(self, average: Ema, found: Checkpoint) -> None:
        tensors = found.part("average")
        for name, own in average.tensors.items():
            if name not in tensors or tensors[name].shape != own.shape:
                raise BrokenCheckpoint(f"the checkpoint of step {found.step} has no average of `{name}`")
        average.restore(tensors)

    def check_weights(self) -> None:
        """Raises Diverged for NaN or infinite values, which are never saved."""
        check_weights(
            self.step, {name: bool(each.isfinite().all()) for name, each in self.learner.state_dict().items()}
        )

    def averaged(self) -> AbstractContextManager[None]:
        """The learner has its EMA weights, if there are any, while the body runs."""
        return nullcontext() if self.average is None else self.average.used()


def trained(learner: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that the optimizer steps, by name."""
    return {name: each for name, each in learner.named_parameters() if each.requires_grad}


class Stream(IntEnum):
    """Independent streams of random numbers, by purpose."""

    AUGMENT = 1
    NETWORK = 2
    HEAD = 3
    LOGITS = 4
    DECISIONS = 5
    WIDTHS = 6
    GUIDE = 7


def seed_of(seed: int, stream: Stream, step: int, rank: int = 0) -> int:
    """The seed of a stream at a step and rank, 0 to 2^63 - 1."""
    (state,) = np.random.SeedSequence([seed, stream, step, rank]).generate_state(1, np.uint64)
    return int(state >> np.uint64(1))


def generator_of(seed: int, stream: Stream, step: int, rank: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(seed, stream, step, rank))
