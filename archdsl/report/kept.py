"""Parts of a page that is shown again and again: those whose files have not changed are not made again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")

Stamps: TypeAlias = "tuple[tuple[Path, int, int], ...]"


def stamps(files: Iterable[Path]) -> Stamps:
    """When files were written last, and how large they are; what is not there, or goes away, is left out."""
    found: list[tuple[Path, int, int]] = []
    for file in files:
        try:
            known = file.stat()
        except OSError:
            continue
        found.append((file, known.st_mtime_ns, known.st_size))
    return tuple(found)


class Kept:
    """What the page before was made of, by keys that say all that it depends on."""

    def __init__(self) -> None:
        self._before: dict[Hashable, Any] = {}
        self._now: dict[Hashable, Any] = {}

    def turn(self) -> None:
        """Begins the next page: what the one before did not use is forgotten."""
        self._before, self._now = self._now, {}

    def of(self, key: Hashable, make: Callable[[], _T]) -> _T:
        if key not in self._now:
            self._now[key] = self._before[key] if key in self._before else make()
        found: _T = self._now[key]
        return found
