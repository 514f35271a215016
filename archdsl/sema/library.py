"""Where the packaged library lies: in the package when installed from a wheel, else in the checkout's `spaces/`."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def library(name: str) -> Path | None:
    """The file of a packaged text (`std`), or None where there is none of that name."""
    for folder in (_PACKAGE / "spaces", _PACKAGE.parent / "spaces"):
        path = folder / f"{name}.arch"
        if path.is_file():
            return path
    return None
