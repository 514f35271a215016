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
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.distributed import rank, world_size
from archdsl.train.errors import FULL, DiskFull, Diverged, Refused
from archdsl.train.evaluate import Scores
from archdsl.train.folder_lock import locked_folder
from archdsl.train.interrupts import StopRequest, stop_on_signals
from archdsl.train.run import BEST, RECORD, Record
from archdsl.train.same_run import is_longer
from archdsl.train.typed_torch import sum_over

CHECKPOINTS = "checkpoints"
"""The folder of a run's checkpoints. It is there from the first one on."""

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
    """The best mIoU (top-1 of whole images) on `score_on`, 0 to 1; None where nothing was evaluated."""
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
    tell: Callable[[str], None] = lambda sentence: None,
) -> Outcome:
    """Does a work in a folder, or what is left of it. What a folder holds is looked at before the work is made.

    A resumed run ends in the same state, bit for bit on a CPU, as one that was never interrupted. One that is longer
    now goes on for as long, with the schedules of the new length. `tell` is given sentences for the user.
    Raises Refused, Diverged, BrokenCheckpoint, DiskFull, OSError.
    """
    _check_folder(record, out, resume=resume)
    loop = _Loop(work(), fabric, out, saving)
    with locked_folder(out, fabric.device), loop.named_last_checkpoint():
        fresh = _check_folder(record, out, resume=resume)  # another run may have been begun there meanwhile
        fabric.barrier()
        if resume:
            loop.go_on(tell)
        if rank() == 0:
            journal.cut(out, loop.work.step)
            if fresh:
                record.write(out)
        fabric.barrier()
        with stop_on_signals() as request:
            return loop.run(request, watch)


def _check_folder(record: Record, out: Path, *, resume: bool) -> bool:
    """Whether a record is to be written: that of a new run, or of a resumed one that is longer now.

    A new run needs a folder without a run, or with one that ended before it saved anything; a resumed one needs the
    record of the same run.
    """
    if resume:
        return is_longer(record, Record.read(out), out)
    saved = (out / CHECKPOINTS).exists() or (out / BEST).exists()
    if (out / RECORD).exists() and saved:
        raise Refused(f"`{out}` holds a run already: resume it with `--resume`, or give another `--out`")
    return True


@dataclass
class _Loop:
    work: Work
    fabric: Fabric
    out: Path
    saving: Saving
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        """Of the checkpoints."""
        return self.out / CHECKPOINTS

    # Checkpoints --------------------------------------------------------------------------------

    def go_on(self, tell: Callable[[str], None]) -> None:
        """Restores the newest checkpoint; where none was saved yet, the run starts at step 0, and says so.

        Raises BrokenCheckpoint, also where there is none left.
        """
        place = checkpoints.newest(self.folder)
        if place is not None:
            self.work.restore(checkpoints.load(place))
        elif self.folder.exists():
            raise BrokenCheckpoint(
                f"`{self.folder}` holds no checkpoint any more: put the last one back, or begin anew with another "
                "`--out`"
            )
        else:
            tell(f"the run in `{self.out}` has saved no checkpoint yet: it begins again at step 0")

    def save(self) -> None:
        found = self.work.checkpoint()
        if rank() == 0:
            checkpoints.save(self.folder, found)
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
    def named_last_checkpoint(self) -> Generator[None]:
        """Names the last checkpoint where a run diverges, or fills its disk."""
        try:
            yield
        except Diverged as error:
            raise Diverged(f"{error}; {self._last('the last good checkpoint is')}") from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise DiskFull(error, self._last("the last checkpoint is")) from error

    def _last(self, words: str) -> str:
        place = checkpoints.newest(self.folder)
        return "there is no checkpoint yet" if place is None else f"{words} `{place}`"

    def _ends(self, request: StopRequest) -> bool:
        """Whether any process was signalled; all of them stop at the same step."""
        if world_size() == 1:
            return bool(request)
        signalled = torch.tensor([request.signal], device=self.fabric.device)
        return bool(sum_over(self.fabric, signalled))
