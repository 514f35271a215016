"""One process that makes and exercises cases, under limits of time and memory."""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import traceback
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from time import process_time
from types import FrameType
from typing import Any, Final

from benchmarks.fuzz.commands import Bug
from benchmarks.fuzz.exercise import Clock
from benchmarks.fuzz.kinds import Case, Kind

STOPS: Final = 6
"""A case is interrupted, where Python can be, after so many times what is slow; killed after as many more."""

Record = dict[str, Any]


class TooSlow(BaseException):
    """Not an Exception, so that nothing on the way takes it for one of its own."""


def random_of(number: int, seed: int) -> Random:
    """Case `number` of a run depends on nothing but this and the originals."""
    return Random(f"{seed}:{number}")


def work(out: Connection, numbers: Iterable[int], seed: int, kind: Kind, folder: Path, share: float) -> None:
    """Sends each number before its case is tried, and a record after it. Ends early after a case that hung."""
    resource.setrlimit(resource.RLIMIT_AS, (kind.memory, kind.memory))
    signal.signal(signal.SIGPROF, _interrupt)
    gc.set_threshold(100_000, 20, 20)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries in C write there
    for number in numbers:
        out.send(number)
        random = random_of(number, seed)
        folder.mkdir(parents=True)
        case = kind.make(random, folder)
        record = _tried(kind, case, random, further=random.random() < share)
        shutil.rmtree(folder)
        out.send({"number": number, "original": case.original, "how": case.how, **record})
        if record.get("finding", "").startswith("TooSlow"):
            break
    out.close()


def _tried(kind: Kind, case: Case, random: Random, *, further: bool) -> Record:
    clock = Clock()
    record: Record = {}
    begun = process_time()
    try:
        with _limited(kind.slow_s):
            outcome = kind.exercise(case, random, clock, further=further)
            record = {"outcome": outcome.kind, "codes": outcome.codes, "notes": outcome.notes}
    except Bug as bug:
        record = {"outcome": "finding", "codes": (), "finding": str(bug), "trace": bug.report}
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is, it is what we are here to find
        record = {"outcome": "finding", "codes": (), "finding": _summary(error, clock), "trace": _trace(error)}
    seconds = process_time() - begun
    slowest = max(clock.stages, key=lambda stage: clock.stages[stage])
    if clock.stages[slowest] > kind.slow_s and "finding" not in record:
        record |= {"outcome": "finding", "finding": f"slow: {slowest}", "trace": f"{clock.stages}\n"}
    return {**record, "s": round(seconds, 4), "stages": {stage: round(s, 4) for stage, s in clock.stages.items()}}


def _summary(error: BaseException, clock: Clock) -> str:
    """The same for the same mistake: what was raised, in which stage, and where."""
    inner = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in inner if "archdsl/" in frame.filename] or list(inner)
    where = f"{ours[-1].filename.rpartition('archdsl/')[2]}:{ours[-1].lineno}"
    return f"{type(error).__name__} in `{clock.now}` at {where}: {str(error)[:100]}"


def _trace(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines if len(lines) < 60 else [*lines[:10], "  …\n", *lines[-40:]])


@contextmanager
def _limited(slow_s: float) -> Generator[None]:
    """CPU time alone counts, so that a busy machine finds nothing that is not there."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used, stop = usage.ru_utime + usage.ru_stime, STOPS * slow_s
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + 2 * stop + 6), resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, stop)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow
