"""What can go wrong outside of us while a target is built."""

from __future__ import annotations


class Untrusted(Exception):
    """A compiled file whose code is not run, since nothing shows that archdsl wrote it.

    `doing` is what would run it, as in `Timing`, and `code` what it holds, as in `Python code`.
    """

    def __init__(self, what: str, why: str, doing: str, code: str) -> None:
        super().__init__(
            f"{what} is not run, for nothing shows that archdsl compiled it: {why}. {doing} it runs the {code} that is "
            "in it; if you know what that does, give `--trust`"
        )


class TargetFailed(Exception):
    """A target's tool refused the network or died; `details` are its own words, one line each."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((message, *details)))
        self.message = message
        self.details = details


class UnreadableModel(Exception):
    """A file that is no model of a network, or one that takes more than networks do; the text says which and why."""
