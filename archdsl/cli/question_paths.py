"""Question paths as people look at them: where a question stands, and what it is called there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

_INDEX = re.compile(r"\[(\d+)\]")
_NUMBERS = re.compile(r"(\d+)")


def split(path: str) -> tuple[str, str]:
    """The place and the name there: `trunk[5][8]` and `operator`; no place where the path is a name alone."""
    place, _, name = path.partition(".")
    return (place, name) if name else ("", place)


def natural(place: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts 2 before 10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(place))


def relative(place: str, answer: str) -> str:
    """An answer that names a place, as seen from here: `trunk[n - 1][8].stay` in `trunk[5][16]`."""
    here = _INDEX.search(place)
    if here is None or not answer.startswith(place[: here.end(0)].partition("[")[0] + "["):
        return answer
    there = _INDEX.search(answer)
    if there is None:
        return answer
    distance = int(there[1]) - int(here[1])
    index = "n" if not distance else f"n {'+' if distance > 0 else '-'} {abs(distance)}"
    return f"{answer[: there.start()]}[{index}]{answer[there.end() :]}"


def ranges(places: Iterable[str]) -> list[str]:
    """Places that differ in their first number alone, joined where they follow each other: `trunk[1..16][8]`."""
    found: dict[tuple[str, str], list[int]] = {}
    alone: list[str] = []
    for place in places:
        index = _INDEX.search(place)
        if index is None:
            alone.append(place)
        else:
            found.setdefault((place[: index.start()], place[index.end() :]), []).append(int(index[1]))
    return alone + [
        f"{before}[{run}]{after}" for (before, after), numbers in found.items() for run in _runs(sorted(numbers))
    ]


def _runs(numbers: Sequence[int]) -> list[str]:
    runs: list[str] = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        runs.append(str(members[0]) if len(members) == 1 else f"{members[0]}..{members[-1]}")
    return runs
