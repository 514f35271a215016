"""Why there is no picture."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


class NothingToDraw(Exception):
    """No cell, op, line or chain has this name; `near` are the names most like it, else the first that there are."""

    def __init__(self, name: str, known: Sequence[str], where: str) -> None:
        self.name = name
        self.near = tuple(get_close_matches(name, known, n=4, cutoff=0.5))
        shown = ", ".join(f"`{each}`" for each in (self.near or known[:8]))
        help = f"did you mean {shown}?" if self.near else f"there are {shown}"
        super().__init__(f"`{where}` has no cell, op, line or chain `{name}`: {help}")
