"""How long a compiled file takes for one image: what was measured, on what, and how busy the machine was."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.protocol import Samples, Shapes, TimedFile
from archdsl.ops import Shape

MOST_NUMBERS: Final = 2**28
"""Of an image that is timed: 1 GiB of 32-bit floats. A file may say any size, and no image has so many pixels."""


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
class Timing:
    runtime: str
    version: str
    device: str
    threads: int
    inputs: Shapes
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


def time_subject(subject: TimedFile, runs: int, done: Callable[[int], None] = lambda count: None) -> Timing:
    """Warms up, then times so many runs one after the other. `done` is told of how many, warm-up included."""
    warm_up, before = warm_up_of(runs), os.getloadavg()[0]
    samples = subject.measure(warm_up, runs, done)
    return Timing(
        subject.runtime,
        subject.version,
        subject.device,
        subject.threads,
        subject.inputs,
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


def shapes_to_time(file: Path, inputs: Mapping[str, Sequence[object]], asked: Shape | None) -> Shapes:
    """The images to time a file on: those that it is for, `asked` for the first where its size is open.

    `inputs` has for each input images, channels, height, width; what is no number is open. Raises NotTimed where the
    first has another shape than is asked for, nothing says a size, or an image is larger than any that is drawn here.
    """
    first = next(iter(inputs.values()))
    fixed = [each for each in first[2:] if isinstance(each, int)]
    if asked is not None and isinstance(first[1], int) and asked.channels != first[1]:
        raise NotTimed(f"`{file}` reads images of {channels(first[1])}, and `--input 1x{asked}` has {asked.channels}")
    if len(fixed) == 2 and asked is not None and asked.size != tuple(fixed):
        height, width = fixed
        raise NotTimed(
            f"`{file}` is for images of {height}x{width} alone: compile it for others, or leave out `--input`"
        )
    found: dict[str, tuple[int, int, int, int]] = {}
    for name, (_, count, *lengths) in inputs.items():
        size = tuple(each for each in lengths if isinstance(each, int))
        if (len(size) < 2 or not isinstance(count, int)) and asked is None:
            raise NotTimed(f"`{file}` is for images of any size: give one with `--input {_open_shape(count)}`")
        height, width = size if len(size) == 2 else _size(asked)
        found[name] = (1, count if isinstance(count, int) else _channels(asked), height, width)
        if prod(found[name]) > MOST_NUMBERS:
            raise NotTimed(
                f"`{file}` reads images of {'x'.join(map(str, found[name][1:]))}, and at most {MOST_NUMBERS:,} numbers "
                "of an image are timed"
            )
    return found


def channels(count: object) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def _open_shape(count: object) -> str:
    return f"1x{count if isinstance(count, int) else 3}xHxW"


def _size(asked: Shape | None) -> tuple[int, int]:
    assert asked is not None
    return asked.size


def _channels(asked: Shape | None) -> int:
    assert asked is not None
    assert isinstance(asked.channels, int)
    return asked.channels


def random_images(shapes: Shapes) -> dict[str, NDArray[np.float32]]:
    """An image for each input, from one generator in the order of the inputs."""
    generator = np.random.default_rng(0)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def cpu_name() -> str:
    """The processor as Linux names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.processor() or platform.machine()
