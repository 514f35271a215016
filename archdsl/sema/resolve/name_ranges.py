"""Runs of names: `x1..x3`."""

from __future__ import annotations

import re

from archdsl.syntax import ast

_NUMBERED = re.compile(r"(.*?)(\d{1,6})")


RUN_LIMIT = 1_000
"""No run holds more names."""


def count_between(low: ast.Name, high: ast.Name) -> int:
    """How many names a run would hold; 0 where the names do not count up."""
    first, last = _NUMBERED.fullmatch(low.text), _NUMBERED.fullmatch(high.text)
    if not first or not last or first[1] != last[1]:
        return 0
    return max(0, int(last[2]) - int(first[2]) + 1)


def names_between(low: ast.Name, high: ast.Name) -> tuple[str, ...]:
    """`x1`, `x3` as x1, x2, x3; nothing where the names do not count up, or are too many."""
    first, last = _NUMBERED.fullmatch(low.text), _NUMBERED.fullmatch(high.text)
    if not first or not last or not 0 < count_between(low, high) <= RUN_LIMIT:
        return ()
    return tuple(f"{first[1]}{number}" for number in range(int(first[2]), int(last[2]) + 1))
