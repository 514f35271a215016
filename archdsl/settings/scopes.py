"""Which questions and parts of a network a name in a setting means."""

from __future__ import annotations


def covers(name: str, path: str) -> bool:
    """Whether a path lies in what a name means.

    `trunk` covers `trunk[5].x1.prev`, `reduction` covers `reduction@h1.x1.prev`, `trunk[5]` covers `trunk[5].width`.
    """
    return path == name or (path.startswith(name) and path[len(name)] in ".[@")
