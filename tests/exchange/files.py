"""Files of other programs, written by tests and imported as a command imports them."""

from __future__ import annotations

from pathlib import Path

from archdsl.cost import Figures, figures
from archdsl.exchange import Imported, Request, Source, imported, kind_of
from archdsl.pipeline import Loaded, load


def read(path: Path, kind: str = "", item: str | None = None, *, name: str = "", scale: str = "") -> Imported:
    """What is made of a file; of the kind that is recognised where none is named."""
    source = Source(str(path), item)
    return imported(kind or kind_of(source), Request(source, name, scale=scale))


def written(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def loaded(found: Imported, folder: Path, size: tuple[int, int] | None = None) -> Loaded:
    """The text as a file, read back."""
    path = written(folder / "imported.arch", found.text)
    return load(f"{path}:{found.name}", size=size)


def counted(found: Imported, folder: Path, size: tuple[int, int] | None = None) -> Figures:
    return figures(loaded(found, folder, size).network())
