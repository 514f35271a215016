"""How long a compiled file takes for one image: what was measured, on what, and how busy the machine was."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Size = tuple[int, int]


class NotTimed(Exception):
    """A file that is not run as it was asked for; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds for one image; a tenth of the runs is below `p10_ms`, and a tenth above `p90_ms`."""

    median_ms: float
    p10_ms: float
    p90_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Raises ValueError where there are none."""
        ordered = sorted(seconds)
        return cls(*(1000 * _quantile(ordered, share) for share in (0.5, 0.1, 0.9)))


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds of each run, without those that warmed up."""

    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    """Of all threads of the process together."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A file that can be run, as the module of its runtime opened it."""

    runtime: str
    version: str
    device: str
    threads: int
    size: Size
    """Height and width of the image."""
    measure: Callable[[int, int, Callable[[int], None]], Samples]
    """Runs it so often to warm up, then so often for the samples, and tells of every run that is done."""


@dataclass(frozen=True, slots=True)
class Timing:
    runtime: str
    version: str
    device: str
    threads: int
    size: Size
    warm_up: int
    runs: int
    wall: Spread
    cpu: Spread
    cores: int
    """That this process may use."""
    load_before: float
    load_after: float
    """Processes that ran or waited to, of all users, over the last minute."""

    @property
    def busy(self) -> bool:
        """Whether others had work for the cores before it began, so that the wall time says less."""
        return self.load_before > max(0.5, self.cores - self.threads)


def time_subject(subject: Subject, runs: int, done: Callable[[int], None] = lambda count: None) -> Timing:
    """Warms up, then times so many runs one after the other. `done` is told of how many, warm-up included."""
    warm_up, before = warm_up_of(runs), os.getloadavg()[0]
    samples = subject.measure(warm_up, runs, done)
    return Timing(
        subject.runtime,
        subject.version,
        subject.device,
        subject.threads,
        subject.size,
        warm_up,
        runs,
        Spread.of(samples.wall_s),
        Spread.of(samples.cpu_s),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        before,
        os.getloadavg()[0],
    )


def warm_up_of(runs: int) -> int:
    """Runs that are not counted: caches and allocators are cold in the first ones."""
    return max(3, runs // 5)


def sample(call: Callable[[], object], warm_up: int, runs: int, done: Callable[[int], None]) -> Samples:
    """Each call in wall time and in the CPU time of this process."""
    wall: list[float] = []
    cpu: list[float] = []
    for number in range(warm_up + runs):
        begun, used = time.perf_counter(), time.process_time()
        call()
        used, begun = time.process_time() - used, time.perf_counter() - begun
        done(number + 1)
        if number >= warm_up:
            wall.append(begun)
            cpu.append(used)
    return Samples(tuple(wall), tuple(cpu))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours, as numpy has it."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
