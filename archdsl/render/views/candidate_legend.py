"""Letters for sets of candidates that would crowd the edges: each stands once, in the legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archdsl.render.model.labels import listed, small
from archdsl.render.model.picture import Text

_MOST_CANDIDATES = 8
"""A longer set has a letter."""
_MOST_REPEATED = 3
"""The same, where several edges have the set."""

Candidates: TypeAlias = "tuple[str, ...]"
Letters: TypeAlias = "Mapping[Candidates, str]"


def lettered(sets: Sequence[Candidates]) -> Letters:
    """A letter for each set that is too long for its edge, or stands on several."""
    counts = Counter(sets)
    long = [
        names for names, edges in counts.items() if len(names) > (_MOST_REPEATED if edges > 1 else _MOST_CANDIDATES)
    ]
    return {names: letters_of(number) for number, names in enumerate(long)}


def letters_of(number: int) -> str:
    """The name of a set by its position from 0, like a column of a spreadsheet: A to Z, AA to ZZ, AAA."""
    name = ""
    position = number + 1
    while position:
        position, last = divmod(position - 1, 26)
        name = chr(ord("A") + last) + name
    return name


def legend_of(letters: Letters) -> list[Text]:
    found: list[Text] = []
    for names, letter in letters.items():
        lines = listed(names, 90)
        found += [small(f"{letter}? one of {lines[0]}", 9), *(small(line, 9) for line in lines[1:])]
    return found
