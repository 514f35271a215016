"""Calls timed on one thread of the CPU, and the memory that they take."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from time import perf_counter, thread_time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import ClosedGraph
from archdsl.measure.runtime import Sample
from archdsl.weights.specification import closed_count

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"
_ALIGNED: Final = 16
"""Numbers of a cache line."""


@dataclass(slots=True)
class Inputs:
    """Maps of random numbers in one buffer, which all networks read: it stays in the caches, as a map just written."""

    buffer: NDArray[np.float32]

    @classmethod
    def empty(cls) -> Inputs:
        return cls(np.zeros(0, np.float32))

    def of(self, graph: ClosedGraph) -> tuple[NDArray[np.float32], ...]:
        """A map 1xCxHxW for each image of a graph, side by side in the buffer."""
        shapes = [_lengths(graph, path) for path in graph.images]
        starts = [0]
        for shape in shapes:
            starts.append(starts[-1] + -(-prod(shape) // _ALIGNED) * _ALIGNED)
        if starts[-1] > self.buffer.size:
            self.buffer = np.random.default_rng(0).normal(size=starts[-1]).astype(np.float32)
        return tuple(
            self.buffer[start : start + prod(shape)].reshape(shape)
            for start, shape in zip(starts[:-1], shapes, strict=True)
        )


def _lengths(graph: ClosedGraph, path: str) -> Sequence[int]:
    shape = graph.node(path).shape
    return (1, closed_count(shape.channels, path), shape.height, shape.width)


@dataclass(frozen=True, slots=True)
class OnCpu:
    """A call whose work is done by one thread."""

    run: Callable[[], object]
    written: int = 0
    """Bytes of outputs that were there before the call."""
    clock: Callable[[], float] = thread_time
    """CPU time of the thread that calls, or of the process where a thread of the library's own does the work."""

    def first(self) -> int | None:
        peak = peak_bytes(self.run)
        return None if peak is None else peak + self.written

    def call(self) -> Sample:
        begun, used = perf_counter(), self.clock()
        self.run()
        used, begun = self.clock() - used, perf_counter() - begun
        return Sample(used, begun)


def peak_bytes(run: Callable[[], object]) -> int | None:
    """By how much a call raises the resident memory of the process at its peak; None where the system cannot say.

    What lay free in the allocator is given back before, so that it counts when it is used again.
    """
    if not _give_back() or not _reset_peak():
        run()
        return None
    before = _kilobytes("VmRSS")
    run()
    return max(0, _kilobytes("VmHWM") - before) * 1024


def _give_back() -> bool:
    """Whether the C library has a way to give free memory back."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True


def _reset_peak() -> bool:
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _kilobytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])
