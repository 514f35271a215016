"""Batches of an epoch, the same in a resumed training and on any number of processes.

Legend of shape suffixes: B images of a batch, 3 colours, H height, W width.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from archdsl.data.held import Held, as_tensors
from archdsl.data.model import Example, Split
from archdsl.data.problems import BadData, Problem

Batch: TypeAlias = "tuple[Tensor, Tensor, Tensor]"
"""Images uint8 B3HW, labels uint8 BHW (classification: int64 B), the numbers of the examples int64 B."""

_AHEAD: Final = 3
"""Batches that are read while one is used."""
_READERS: Final = 8
"""Threads at most: decoding leaves Python to itself, and so do few tasks more."""


class Batches:
    """The examples of a split, shuffled anew in each epoch.

    The order of epoch `n` depends on `seed` and `n` alone. Of `world` processes, process `rank` takes every
    `world`-th example of each joined batch of `world * batch`: together they see what one process with the joined
    batch sees. Without `drop_last` the last batch may be smaller, and missing on some processes.
    """

    def __init__(
        self,
        source: Split | Held,
        *,
        batch: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        subset: Sequence[int] | None = None,
        drop_last: bool = True,
    ) -> None:
        """Raises BadData where there are too few examples for one batch."""
        self._source = source
        self._indices = np.arange(len(source)) if subset is None else np.asarray(subset, dtype=np.int64)
        self._joined = batch * world
        self._seed, self._rank, self._world, self._drop_last = seed, rank, world, drop_last
        if not len(self):
            split = source.split if isinstance(source, Held) else source
            what = f"`{split.name}` gives {len(self._indices)} examples, too few for one batch of {self._joined}"
            raise BadData(split.name, [Problem("", what, "take a smaller batch, or more data")])

    def __len__(self) -> int:
        """Batches in an epoch."""
        whole, left = divmod(len(self._indices), self._joined)
        return whole + (not self._drop_last and left > self._rank)

    def epoch(self, n: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `n`, from number `start` on, which costs nothing for those before."""
        chosen = islice(self._chosen(n), start, None)
        return (
            (self._held(self._source, each) for each in chosen)
            if isinstance(self._source, Held)
            else self._read(chosen)
        )

    def _chosen(self, n: int) -> Iterator[Tensor]:
        order = torch.as_tensor(np.random.default_rng((self._seed, n)).permutation(self._indices))
        for number in range(len(self)):
            yield order[number * self._joined : (number + 1) * self._joined][self._rank :: self._world]

    @staticmethod
    def _held(source: Held, chosen: Tensor) -> Batch:
        return source.images_N3HW[chosen], source.labels_NHW[chosen], chosen

    def _read(self, chosen: Iterator[Tensor]) -> Iterator[Batch]:
        """What threads have read ahead. A reader that is left early leaves nothing running."""
        read = self._source.read if isinstance(self._source, Split) else None
        assert read is not None
        pool = ThreadPoolExecutor(min(_READERS, os.cpu_count() or 1))
        waiting: deque[tuple[Tensor, list[Future[Example]]]] = deque()
        try:
            for indices in chosen:
                waiting.append((indices, [pool.submit(read, int(i)) for i in indices]))
                if len(waiting) > _AHEAD:
                    yield _stacked(*waiting.popleft())
            while waiting:
                yield _stacked(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _stacked(indices: Tensor, examples: Sequence[Future[Example]]) -> Batch:
    images, labels = zip(*(as_tensors(each.result()) for each in examples), strict=True)
    return torch.stack(images), torch.stack(labels), indices
