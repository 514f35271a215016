"""Access to imported texts: on the disk, or in another store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from archdsl.diagnostics import Diagnostic
from archdsl.syntax import read
from archdsl.text import SourceFile


class Files(Protocol):
    """Files by their absolute paths."""

    def is_file(self, path: Path) -> bool: ...

    def is_folder(self, path: Path) -> bool: ...

    def names(self, folder: Path) -> Sequence[str]:
        """The files in a folder, sorted; none where there is no such folder."""
        ...

    def read(self, path: Path) -> SourceFile | Diagnostic:
        """A text under the name that messages give it, or what keeps it from being read."""
        ...


class Disk:
    """The files as they lie here."""

    def is_file(self, path: Path) -> bool:
        return path.is_file()

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def names(self, folder: Path) -> Sequence[str]:
        return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else ()

    def read(self, path: Path) -> SourceFile | Diagnostic:
        return read(shown(path))


def shown(path: Path) -> str:
    """A file's name in messages: as seen from here, where that is shorter."""
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except ValueError:  # another drive
        return str(path)
