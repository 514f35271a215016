"""Ctrl-C and SIGTERM during training: the step is finished, a checkpoint is written, and training ends."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class StopRequest:
    """The signal by which the run was asked to stop; 0 while there is none."""

    signal: int = 0

    def __bool__(self) -> bool:
        return self.signal != 0


@contextmanager
def stop_on_signals() -> Generator[StopRequest]:
    """Records the first signal within its body; a second one has its default effect."""
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
