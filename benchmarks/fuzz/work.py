"""One process that mutates and exercises texts, under limits of time and memory."""

from __future__ import annotations

import gc
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

from archdsl.pipeline import check
from benchmarks.fuzz.exercise import Clock, exercise
from benchmarks.fuzz.mutate import Mutated, mutated
from benchmarks.fuzz.originals import Original

SLOW_S: Final = 2.0
"""CPU seconds of one stage, which is what a command does; a text that takes longer is a finding."""
STOP_S: Final = 12.0
"""CPU seconds after which a text is interrupted, where Python can be."""
KILL_S: Final = 30
"""CPU seconds after which the process is killed: something in C does not come back."""
MEMORY: Final = 2 << 30

Record = dict[str, Any]


class TooSlow(BaseException):
    """Not an Exception, so that nothing on the way takes it for one of its own."""


def recipe(number: int, seed: int, every: list[Original]) -> tuple[Original, Mutated, Random]:
    """Text `number` of a run, which depends on nothing but the seed and the originals."""
    random = Random(f"{seed}:{number}")
    files = [each for each in every if ":" not in each.name]
    # One in eight is a whole file; blocks of pages are small and many, so a run of equal time sees more mutations.
    original = random.choice(files if random.random() < 1 / 8 else every)
    return original, mutated(original.text, [random.choice(every).text for _ in range(3)], random), random


def work(out: Connection, numbers: Iterable[int], seed: int, every: list[Original], folder: Path, share: float) -> None:
    """Sends each number before its text is tried, and a record after it. Ends early after a text that hung."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _interrupt)
    gc.set_threshold(100_000, 20, 20)
    for number in numbers:
        out.send(number)
        original, text, random = recipe(number, seed, every)
        record = _tried(original, text.data, folder, further=random.random() < share)
        out.send({"number": number, "original": original.name, "how": text.how, **record})
        if record.get("finding", "").startswith("TooSlow"):
            break
    out.close()


def _tried(original: Original, data: bytes, folder: Path, *, further: bool) -> Record:
    original.place(folder)
    path = folder / original.file
    path.write_bytes(data)
    clock = Clock()
    record: Record = {}
    begun = process_time()
    try:
        with _limited():
            outcome = exercise(path, clock, further=further)
            record = {"outcome": outcome.kind, "codes": outcome.codes, "notes": outcome.notes}
            for reader in original.readers[:2]:
                with clock.of("check reader"):
                    check(str(folder / reader))
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is, it is what we are here to find
        record = {"outcome": "finding", "codes": (), "finding": _summary(error, clock), "trace": _trace(error)}
    seconds = process_time() - begun
    slowest = max(clock.stages, key=lambda stage: clock.stages[stage])
    if clock.stages[slowest] > SLOW_S and "finding" not in record:
        record |= {"outcome": "finding", "finding": f"slow: {slowest}", "trace": f"{clock.stages}\n"}
    shutil.rmtree(folder)
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
def _limited() -> Generator[None]:
    """CPU time alone counts, so that a busy machine finds nothing that is not there."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + KILL_S, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, STOP_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow
