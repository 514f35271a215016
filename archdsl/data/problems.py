"""Problems of a dataset, and their messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.text.visible import visible_line

SHOWN: Final = 10
"""Problems that a message lists; `archdsl data check` lists all."""


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    """The file or folder, quoted for a shell; empty where there is none."""
    what: str
    """The problem: `is truncated`."""
    help: str
    """The remedy."""

    def __str__(self) -> str:
        where = f"`{self.path}` " if self.path else ""
        return visible_line(f"{where}{self.what}; {self.help}")


class BadData(Exception):
    """An unusable dataset, with all problems found in it."""

    def __init__(self, written: str, problems: Sequence[Problem]) -> None:
        self.written = written
        self.problems = tuple(problems)
        super().__init__(_message(written, self.problems))


class NoData(BadData):
    """No dataset: an unknown kind, a missing folder, or a folder with another layout."""


def plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def shortened(each: Iterable[str], shown: int = 3) -> str:
    """The first few of a list, and how many more."""
    every = list(each)
    more = f" and {len(every) - shown:,} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more


def _message(written: str, problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return f"{written}: {problems[0]}"
    lines = [f"{written} has {len(problems):,} problems", *(f"  {each}" for each in problems[:SHOWN])]
    if len(problems) > SHOWN:
        lines.append(f"  and {len(problems) - SHOWN:,} more; `archdsl data check {written}` lists all")
    return "\n".join(lines)
