"""The batches of a training: this process's share, augmented and normalised on the device.

Legend: N images of a split, B of a batch, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from archdsl.data import Batches, Held, Split, hold
from archdsl.data.augment import augment, normalise
from archdsl.train.distributed import rank, world_size
from archdsl.train.errors import Refused
from archdsl.train.losses import Batch
from archdsl.train.run import Setup
from archdsl.train.state import Stream, generator_of

HELD_BYTES = 4 << 30
"""Bytes: a larger split is prefetched from its files instead of held in memory."""


class TrainBatches:
    """The batches of each step; they depend on the seed and the step alone, not on the number of processes."""

    def __init__(self, setup: Setup, device: torch.device) -> None:
        """Reads the split into memory where it fits. Raises Refused, BadData for a batch that cannot be filled."""
        share, rest = divmod(setup.recipe.weights.batch, world_size() * setup.accumulate)
        if rest or not share:
            raise Refused(
                f"a batch of {setup.recipe.weights.batch} cannot be shared by {world_size()} processes in "
                f"{setup.accumulate} parts: give a batch that divides"
            )
        split = setup.data.splits[setup.train_on]
        self._setup, self._device = setup, device
        self._source: Split | Held = hold(split) if _fits(split) else split
        own = setup.recipe.weights.batch // world_size()
        self._batches = Batches(self._source, batch=own, seed=setup.seed, rank=rank(), world=world_size())

    def labels(self) -> Iterable[Tensor]:
        """The labels HxW of all images of the split."""
        source = self._source
        if isinstance(source, Held):
            return source.labels_NHW
        return (torch.as_tensor(source.read(i).label) for i in range(len(source)))

    def from_step(self, step: int) -> Iterator[list[Batch]]:
        """For each step from this one on, the micro-batches whose gradients are accumulated. It has no end."""
        while True:
            epoch, start = divmod(step, len(self._batches))
            for images, labels, _ in self._batches.epoch(epoch, start=start):
                yield self._parts(*self._ready(images, labels, step))
                step += 1

    def _ready(self, images_u8: Tensor, labels_u8: Tensor, step: int) -> Batch:
        pairs = [
            self._augmented(images_u8[i : i + 1], labels_u8[i : i + 1], step, rank() + i * world_size())
            for i in range(len(images_u8))
        ]
        images = torch.cat([image for image, _ in pairs])
        labels = torch.cat([label for _, label in pairs])
        ready = normalise(images, self._setup.data.mean, self._setup.data.std).contiguous(
            memory_format=torch.channels_last
        )
        return ready, labels if labels.ndim == 3 else labels[:, None, None]

    def _augmented(self, image_u8: Tensor, label_u8: Tensor, step: int, place: int) -> tuple[Tensor, Tensor]:
        """Augments one image; `place` is its index in the batch of all processes."""
        setup = self._setup
        return augment(
            image_u8.to(self._device),
            label_u8.to(self._device),
            setup.recipe.augment,
            size=setup.size,
            generator=generator_of(setup.seed, Stream.AUGMENT, step, place),
            mean=setup.data.mean,
        )

    def _parts(self, images: Tensor, labels: Tensor) -> list[Batch]:
        count = self._setup.accumulate
        return list(zip(images.chunk(count), labels.chunk(count), strict=True))


def _fits(split: Split) -> bool:
    """Whether a split fits in memory, estimated from its first image."""
    return len(split) * split.read(0).image.nbytes <= HELD_BYTES
