"""The batches of a run: this process's share, augmented and normalised on the device.

Legend: N images of a split, B of a batch, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from archdsl.data import Batches, Data, Held, Split, hold
from archdsl.data.augment import augment, normalise
from archdsl.settings.trainings import Augmentation
from archdsl.train.distributed import rank, world_size
from archdsl.train.errors import Refused
from archdsl.train.losses import Batch
from archdsl.train.state import Stream, generator_of

HELD_BYTES = 4 << 30
"""Bytes: a larger split is prefetched from its files instead of held in memory."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What the batches of a run are made of."""

    data: Data
    split: str
    batch: int
    """Images in a step of all processes."""
    augment: tuple[Augmentation, ...]
    size: tuple[int, int]
    """Height and width of the crops, in pixels."""
    seed: int
    accumulate: int = 1
    """Gradient accumulation: the number of micro-batches in a batch."""
    subset: tuple[int, ...] | None = None
    """The images of the split that are taken, by number; None for all."""

    def __len__(self) -> int:
        """The number of images."""
        return len(self.data.splits[self.split]) if self.subset is None else len(self.subset)


class TrainBatches:
    """The batches of each step; they depend on the seed and the step alone, not on the number of processes."""

    def __init__(self, feed: Feed, device: torch.device, source: Split | Held | None = None) -> None:
        """`source` is the split as `held` gives it, where several feeds share it.

        Raises Refused, BadData for a batch that cannot be filled.
        """
        share, rest = divmod(feed.batch, world_size() * feed.accumulate)
        if rest or not share:
            raise Refused(
                f"a batch of {feed.batch} cannot be shared by {world_size()} processes in "
                f"{feed.accumulate} parts: give a batch that divides"
            )
        self._feed, self._device = feed, device
        self._source = held(feed.data.splits[feed.split]) if source is None else source
        own = feed.batch // world_size()
        self._batches = Batches(
            self._source, batch=own, seed=feed.seed, rank=rank(), world=world_size(), subset=feed.subset
        )

    def labels(self) -> Iterable[Tensor]:
        """The labels HxW of all images."""
        source, chosen = self._source, self._chosen
        if isinstance(source, Held):
            return source.labels_NHW[chosen]
        return (torch.as_tensor(source.read(i).label) for i in chosen)

    @property
    def _chosen(self) -> Sequence[int]:
        return range(len(self._source)) if self._feed.subset is None else self._feed.subset

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
        ready = normalise(images, self._feed.data.mean, self._feed.data.std).contiguous(
            memory_format=torch.channels_last
        )
        return ready, labels

    def _augmented(self, image_u8: Tensor, label_u8: Tensor, step: int, place: int) -> tuple[Tensor, Tensor]:
        """Augments one image; `place` is its index in the batch of all processes."""
        feed = self._feed
        return augment(
            image_u8.to(self._device),
            label_u8.to(self._device),
            feed.augment,
            size=feed.size,
            generator=generator_of(feed.seed, Stream.AUGMENT, step, place),
            mean=feed.data.mean,
            colours=feed.data.colours,
        )

    def _parts(self, images: Tensor, labels: Tensor) -> list[Batch]:
        count = self._feed.accumulate
        return list(zip(images.chunk(count), labels.chunk(count), strict=True))


def held(split: Split) -> Split | Held:
    """The split in memory where it fits, estimated from its first image."""
    return hold(split) if len(split) * split.read(0).image.nbytes <= HELD_BYTES else split
