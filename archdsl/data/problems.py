"""What is wrong with a dataset, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SHOWN: Final = 10
"""Problems that a message lists; `archdsl data check` lists all."""


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    """The file or folder, as it can be pasted into a shell; empty where it is about none."""
    what: str
    """What is wrong with it: `is truncated`."""
    help: str
    """What to do."""

    def __str__(self) -> str:
        where = f"`{self.path}` " if self.path else ""
        return f"{where}{self.what}; {self.help}"


class BadData(Exception):
    """A dataset that cannot be used, with every problem that was found in it."""

    def __init__(self, written: str, problems: Sequence[Problem]) -> None:
        self.written = written
        self.problems = tuple(problems)
        super().__init__(_message(written, self.problems))


class NoData(BadData):
    """Nothing was found: the kind is not known, or the folder is not there or not laid out as the kind is."""


def _message(written: str, problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return f"{written}: {problems[0]}"
    lines = [f"{written} has {len(problems):,} problems", *(f"  {each}" for each in problems[:SHOWN])]
    if len(problems) > SHOWN:
        lines.append(f"  and {len(problems) - SHOWN:,} more; `archdsl data check {written}` lists all")
    return "\n".join(lines)
