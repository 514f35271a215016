"""Networks that are trained for a short time, all from the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from sys import maxsize
from typing import Final

from lightning_fabric import Fabric

from archdsl.data import Data, Split
from archdsl.search.trials.interrupted import Interrupted
from archdsl.space.trace import Answers
from archdsl.train import Progress, train
from archdsl.train.batches import HELD_BYTES
from archdsl.train.errors import Diverged
from archdsl.train.prepare import TrainRequest, prepare
from archdsl.train.run import RECORD

FOLDER: Final = "candidates"
_ONLY_AT_THE_END: Final = maxsize


@dataclass(frozen=True, slots=True)
class Trainings:
    """Trains candidates in folders of their own, `candidates/3`, which `archdsl eval` reads as any run."""

    request: TrainRequest
    """Of the space; its folder is that of all of them."""
    data: Data
    fabric: Fabric
    watch: Callable[[int, Progress], None] = lambda number, progress: None
    tell: Callable[[str], None] = lambda sentence: None

    def __call__(self, number: int, answers: Answers) -> float:
        """The accuracy of a candidate on `score_on` after the last step, 0 to 1; a training that was begun goes on.

        One that diverges has 0. Raises Interrupted, Refused, BadData.
        """
        folder = self.request.out / FOLDER / str(number)
        asked = replace(self.request, answers=answers, out=folder, score_every=_ONLY_AT_THE_END)
        setup = prepare(asked, self.data).setup
        begun = (folder / RECORD).exists()
        try:
            outcome = train(setup, self.fabric, resume=begun, watch=lambda progress: self.watch(number, progress))
        except Diverged as why:
            self.tell(f"candidate {number} counts as {self.data.merit} 0: {why}")
            return 0.0
        if not outcome.finished:
            raise Interrupted(outcome.signal)
        assert outcome.best is not None, "that there is a split to score on is checked before the first candidate"
        return outcome.best


def read_once(data: Data) -> Data:
    """The same data, whose examples are kept once they were read, as far as they fit in memory."""
    return replace(data, splits={name: _read_once(split) for name, split in data.splits.items()})


def _read_once(split: Split) -> Split:
    if not len(split) or len(split) * split.read(0).image.nbytes > HELD_BYTES:
        return split
    return replace(split, reader=cache(split.reader))
