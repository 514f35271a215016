"""A spinner with the time that has passed, on a terminal and after half a second."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

DELAY_S = 0.5
_TURN_S = 0.1
_SIGNS = "|/-\\"
_CLEAR = "\r\x1b[K"


@contextmanager
def working(what: str) -> Generator[None]:
    """Shows `what` on stderr while the body runs. Nothing is shown where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    done = Event()
    spinner = Thread(target=_spin, args=(what, done), daemon=True)
    spinner.start()
    try:
        yield
    finally:
        done.set()
        spinner.join()


def _spin(what: str, done: Event) -> None:
    begun, turn = monotonic(), 0
    if done.wait(DELAY_S):
        return
    while not done.wait(_TURN_S):
        seconds = int(monotonic() - begun)
        sys.stderr.write(f"{_CLEAR}{_SIGNS[turn % len(_SIGNS)]} {what}  {seconds // 60}:{seconds % 60:02}")
        sys.stderr.flush()
        turn += 1
    sys.stderr.write(_CLEAR)
    sys.stderr.flush()
