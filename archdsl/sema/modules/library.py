"""Where the packaged library lies: in the package when installed from a wheel, else in the checkout's `spaces/`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from archdsl.text import SourceFile

_PACKAGE = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=64)
def _is_packaged(name: str) -> bool:
    path = Path(name)
    found = library(path.stem)
    return found is not None and path.resolve() == found


def is_packaged(source: SourceFile) -> bool:
    """Whether a text is one of the library."""
    return _is_packaged(source.name)


def library(name: str) -> Path | None:
    """The file of a packaged text (`std`), or None where there is none of that name."""
    for folder in (_PACKAGE / "spaces", _PACKAGE.parent / "spaces"):
        for path in folder.glob("*.arch"):  # not asked for by its name, which may be longer than a system allows
            if path.stem == name:
                return path
    return None
