"""Ctrl-C and SIGTERM while a training runs: the step is finished, the state is saved, and it ends."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class StopRequest:
    """Whether somebody wants the run to end, and by which signal."""

    signal: int = 0

    def __bool__(self) -> bool:
        return self.signal != 0


@contextmanager
def stop_on_signals() -> Generator[StopRequest]:
    """A second signal is not waited for: it ends the process as it would without us."""
    request = StopRequest()
    kept: dict[int, object] = {}

    def note(number: int, frame: FrameType | None) -> None:
        if request:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            signal.raise_signal(number)
        request.signal = number

    for number in (signal.SIGINT, signal.SIGTERM):
        kept[number] = signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]  # what signal.signal gave
