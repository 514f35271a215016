"""The loop of every run: steps, journal, checkpoints, signals, resumption. What a step does is its `Work`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from lightning_fabric import Fabric

from archdsl.train import checkpoints, journal
from archdsl.train.checkpoints import Checkpoint
from archdsl.train.distributed import rank, world_size
from archdsl.train.errors import Diverged, Refused
from archdsl.train.evaluate import Scores
from archdsl.train.interrupts import StopRequest, stop_on_signals
from archdsl.train.run import RECORD, Record
from archdsl.train.typed_torch import sum_over

Event: TypeAlias = "tuple[str, Mapping[str, Any]]"
"""A line of the journal: `step`, `score` and others, with its values."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after a step, for a progress display."""

    step: int
    steps: int
    epoch: int
    """From 0."""
    loss: float
    scores: Scores | None = None
    phase: str = ""
    """Of a search, where it has several."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    progress: Progress
    events: Sequence[Event]
    ended_epoch: bool
    """Whether an epoch ended with it; a checkpoint is saved then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    step: int
    finished: bool
    best: float | None
    """The best mIoU (accuracy of a classifier) on `score_on`, 0 to 1; None where nothing was evaluated."""
    scores: Scores | None
    """The scores of the last evaluation."""
    signal: int = 0
    """The signal that stopped the run; 0 where none did."""


class Work(ABC):
    """What a run does step by step, with all of its state."""

    scores: Scores | None
    """Those of the last evaluation."""

    @property
    @abstractmethod
    def step(self) -> int:
        """The number of steps taken."""

    @property
    @abstractmethod
    def best(self) -> float | None:
        """The best score so far, 0 to 1; None where nothing was evaluated."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether all steps are taken."""

    @abstractmethod
    def advance(self) -> Taken:
        """Takes one step. Raises Diverged."""

    @abstractmethod
    def checkpoint(self) -> Checkpoint:
        """All that a resumed run needs. Raises Diverged for NaN or infinite values, which are never saved."""

    @abstractmethod
    def restore(self, found: Checkpoint) -> None:
        """Raises BrokenCheckpoint where the checkpoint is of another run."""

    @abstractmethod
    def finish(self) -> None:
        """Writes what the run leaves, after its last step."""


@dataclass(frozen=True, slots=True)
class Saving:
    """When checkpoints are saved; there is always one after an epoch."""

    every_s: float = 600.0
    """Seconds between checkpoints within an epoch."""
    every_steps: int | None = None
    """Steps between checkpoints; takes the place of `every_s`."""


def run(
    work: Callable[[], Work],
    record: Record,
    out: Path,
    fabric: Fabric,
    *,
    saving: Saving,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Does a work in a folder, or what is left of it. What a folder holds is looked at before the work is made.

    A resumed run ends in the same state, bit for bit on a CPU, as one that was never interrupted.
    Raises Refused, Diverged, BrokenCheckpoint, OSError.
    """
    _check_folder(record, out, resume=resume)
    loop = _Loop(work(), fabric, out, saving)
    if resume:
        loop.go_on()
    elif rank() == 0:
        out.mkdir(parents=True, exist_ok=True)
        record.write(out)
    fabric.barrier()
    with stop_on_signals() as request:
        return loop.run(request, watch)


def _check_folder(record: Record, out: Path, *, resume: bool) -> None:
    """A new run needs a folder without a run; a resumed one needs the record of the same run."""
    if resume:
        record.check_same(Record.read(out), out)
    elif (out / RECORD).exists():
        raise Refused(f"`{out}` holds a run already: resume it with `--resume`, or give another `--out`")


@dataclass
class _Loop:
    work: Work
    fabric: Fabric
    out: Path
    saving: Saving
    saved_at: float = field(default_factory=time.monotonic)

    # Checkpoints --------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Restores the newest checkpoint; without one, the run starts at step 0."""
        place = checkpoints.newest(self.out / "checkpoints")
        if place is not None:
            self.work.restore(checkpoints.load(place))
        if rank() == 0:
            journal.cut(self.out, self.work.step)

    def save(self) -> None:
        with self._last_good_named():
            found = self.work.checkpoint()
        if rank() == 0:
            checkpoints.save(self.out / "checkpoints", found)
        self.saved_at = time.monotonic()
        self.fabric.barrier()

    def _is_time_to_save(self) -> bool:
        if self.saving.every_steps is not None:
            return self.work.step % self.saving.every_steps == 0
        if world_size() > 1:
            return False  # clocks of several processes do not agree; after every epoch it is saved anyway
        return time.monotonic() - self.saved_at > self.saving.every_s

    # Running ------------------------------------------------------------------------------------

    def run(self, request: StopRequest, watch: Callable[[Progress], None]) -> Outcome:
        work = self.work
        log = journal.Journal(self.out) if rank() == 0 else None
        try:
            while not work.finished:
                if self._ends(request):
                    self.save()
                    return Outcome(work.step, finished=False, best=work.best, scores=work.scores, signal=request.signal)
                with self._last_good_named():
                    taken = work.advance()
                if log is not None:
                    for event, values in taken.events:
                        log.write(event, work.step, **values)
                watch(taken.progress)
                if taken.ended_epoch or self._is_time_to_save():
                    self.save()
            work.finish()
            self.fabric.barrier()
            return Outcome(work.step, finished=True, best=work.best, scores=work.scores)
        finally:
            if log is not None:
                log.close()

    @contextmanager
    def _last_good_named(self) -> Generator[None]:
        """Names the last checkpoint where a run diverges."""
        try:
            yield
        except Diverged as error:
            place = checkpoints.newest(self.out / "checkpoints")
            last = "there is no checkpoint yet" if place is None else f"the last good checkpoint is `{place}`"
            raise Diverged(f"{error}; {last}") from None

    def _ends(self, request: StopRequest) -> bool:
        """Whether any process was signalled; all of them stop at the same step."""
        if world_size() == 1:
            return bool(request)
        signalled = torch.tensor([request.signal], device=self.fabric.device)
        return bool(sum_over(self.fabric, signalled))
