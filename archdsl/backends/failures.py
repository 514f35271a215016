"""What can go wrong outside of us while a target is built."""

from __future__ import annotations


class TargetFailed(Exception):
    """A target's tool refused the network or died; `details` are its own words, one line each."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((message, *details)))
        self.message = message
        self.details = details
