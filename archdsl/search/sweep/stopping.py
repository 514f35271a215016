"""Ctrl-C and SIGTERM in a sweep: running members are stopped at a checkpoint."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from types import FrameType


@dataclass(slots=True)
class StopRequest:
    """The signal by which a sweep was asked to stop; 0 while there is none. Threads may wait for it."""

    signal: int = 0
    _event: Event = field(default_factory=Event)

    def __bool__(self) -> bool:
        return self._event.is_set()

    def stop(self, number: int) -> None:
        self.signal = number
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Returns early where the request comes."""
        self._event.wait(seconds)


@contextmanager
def stop_on_signals() -> Generator[StopRequest]:
    """Records the first signal within its body; a second one has its default effect."""
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        request.stop(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    kept = {number: signal.signal(number, note) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
