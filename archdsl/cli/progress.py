"""A spinner with the time that has passed, on a terminal and after half a second."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from archdsl.cli.output import show_progress
from archdsl.text import visible, visible_line

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
    spinner = Thread(target=_spin, args=(visible_line(what), done), daemon=True)
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
        show_progress(f"{_CLEAR}{_SIGNS[turn % len(_SIGNS)]} {what}  {seconds // 60}:{seconds % 60:02}")
        turn += 1
    show_progress(_CLEAR)


class Bar:
    """A line that grows, on a terminal and after half a second; elsewhere only what is printed."""

    _WIDTH = 24

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown
        self._live = shown and sys.stderr.isatty()
        self._begun = monotonic()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            show_progress(_CLEAR)

    def show(self, done: int, total: int, text: str) -> None:
        """Shows the progress and a short text."""
        seconds = monotonic() - self._begun
        if not self._live or seconds < DELAY_S:
            return
        left = int(seconds / done * (total - done)) if done else 0
        bar = "#" * (self._WIDTH * done // total)
        shown = visible_line(text)
        show_progress(f"{_CLEAR}[{bar:<{self._WIDTH}}] {done}/{total}  {shown}  {left // 60}:{left % 60:02} left")

    def print(self, text: str) -> None:
        """A line that stays."""
        if self._shown:
            show_progress(f"{_CLEAR if self._live else ''}{visible(text)}\n")
