"""A trial that a signal ended."""

from __future__ import annotations


class Interrupted(Exception):
    """The trial has saved what it needs to go on."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal
