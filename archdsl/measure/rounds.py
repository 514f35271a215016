"""Rounds: every subject once, in a new order, with a discarded call after each switch."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from archdsl.measure.runtime import Opened, Runtime
from archdsl.measure.samples import Samples
from archdsl.measure.subjects import Subject, Task, Whole, weight_bytes

_HELD_SHARE: Final = 0.25
"""Of the machine's memory, for networks that stay open."""
_COPIES: Final = 3
"""Of its weights, that a runtime may hold of a network."""
_OVERHEAD: Final = 2**20
"""Bytes of an open network without weights."""
_PILOTS: Final = 8
"""Rows that are tried before it is said how long all will take, as far as this takes no longer than the next."""
_PILOTS_S: Final = 5.0


@dataclass(slots=True)
class Open:
    """Networks that stay open for the next round, as many as memory allows; else those that waited longest go."""

    runtime: Runtime
    samples: Samples
    limit: int = int(_HELD_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    _held: OrderedDict[Subject, tuple[Opened, int]] = field(
        default_factory=OrderedDict["Subject", "tuple[Opened, int]"]
    )
    _bytes: int = 0

    def get(self, task: Task) -> Opened:
        if task.subject in self._held:
            self._held.move_to_end(task.subject)
            return self._held[task.subject][0]
        graph = task.graph()
        size = _OVERHEAD + _COPIES * weight_bytes(graph)
        while self._held and self._bytes + size > self.limit:
            _, (_, freed) = self._held.popitem(last=False)
            self._bytes -= freed
        opened = self.runtime.open(graph)
        memory = opened.first()
        if memory is not None and task.subject not in self.samples.memory:
            self.samples.add_memory(task.subject, memory)
        self._held[task.subject] = (opened, size)
        self._bytes += size
        return opened


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is, told after every sample."""

    done: int
    total: int
    subject: str
    round_ended: bool


def measure(
    tasks: Sequence[Task],
    rounds: int,
    opened: Open,
    *,
    until: float | None = None,
    told: Callable[[Step], None] = lambda step: None,
) -> bool:
    """Takes samples until each subject has `rounds` of them; those that have fewer than others come first.

    Whether all was done: it ends early at `until`, by `time.monotonic`. Raises TargetFailed, OSError.
    """
    samples, random = opened.samples, Random()
    total = sum(max(0, rounds - samples.count(task.subject)) for task in tasks)
    done = 0
    for number in range(rounds):
        waiting = [task for task in tasks if samples.count(task.subject) <= number]
        random.shuffle(waiting)
        for position, task in enumerate(waiting, start=1):
            if until is not None and time.monotonic() >= until:
                samples.sync()
                return False
            network = opened.get(task)
            network.call()
            samples.add(task.subject, network.call())
            done += 1
            ended = position == len(waiting)
            if ended:
                samples.sync()
            told(Step(done, total, _name(task.subject), ended))
    return True


def expected_seconds(tasks: Sequence[Task], rounds: int, opened: Open) -> float:
    """How long `measure` will take, by some of the rows and one of the networks, which are opened for it."""
    waiting = [task for task in tasks if opened.samples.count(task.subject) < rounds]
    whole = [task for task in waiting if isinstance(task.subject, Whole)]
    rows = [task for task in waiting if not isinstance(task.subject, Whole)]
    seconds = 0.0
    for kind, tried in ((rows, Random(0).sample(rows, min(_PILOTS, len(rows)))), (whole, whole[:1])):
        left = sum(rounds - opened.samples.count(task.subject) for task in kind)
        opening, calling, count = 0.0, 0.0, 0
        for task in tried:
            begun = time.monotonic()
            network = opened.get(task)
            opening += time.monotonic() - begun
            calling += 2 * network.call().wall_s
            count += 1
            if opening + calling > _PILOTS_S:
                break
        seconds += (len(kind) * opening + left * calling) / max(1, count)
    return seconds


def _name(subject: Subject) -> str:
    return subject.name if isinstance(subject, Whole) else subject.op
