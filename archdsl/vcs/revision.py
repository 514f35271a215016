"""Texts at a git revision, with the texts that they import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archdsl.diagnostics import Diagnostic
from archdsl.sema.modules.files import Disk, shown
from archdsl.sema.modules.library import library
from archdsl.syntax import decode
from archdsl.syntax.codes import UNREADABLE
from archdsl.text import SourceFile
from archdsl.vcs.git import GitMissing, GitRefused, git


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of a repository at a revision, by their paths in the working tree.

    An empty `name` is what is staged. Nothing of it needs to be in the working tree any more.
    """

    name: str

    def is_file(self, path: Path) -> bool:
        return self._kind(path) == b"blob"

    def is_folder(self, path: Path) -> bool:
        return self._kind(path) == b"tree"

    def names(self, folder: Path) -> Sequence[str]:
        try:
            listed = self._git(folder, "ls-tree", "-z", "--name-only")
        except (GitMissing, GitRefused):
            return ()
        return sorted(filter(None, listed.decode(errors="replace").split("\0")))

    def read(self, path: Path) -> SourceFile | Diagnostic:
        """A text of the revision. The library is the one of the archdsl that runs."""
        if library(path.stem) == path:
            return Disk().read(path)
        return self.read_as(f"git:{self.name}:{shown(path)}", path)

    def read_as(self, name: str, path: Path) -> SourceFile | Diagnostic:
        """A text under a name of the caller's."""
        if self.name.startswith("-"):  # git would take it for an option
            return Diagnostic(UNREADABLE, f"`{name}` names no file of a revision", None, file=name)
        try:
            return decode(name, self._git(path, "show"))
        except (GitMissing, GitRefused) as error:
            return Diagnostic(UNREADABLE, f"`{name}` cannot be read: {error}", None, file=name)

    def _kind(self, path: Path) -> bytes:
        try:
            return self._git(path, "cat-file", "-t").strip()
        except (GitMissing, GitRefused):
            return b""

    def _git(self, path: Path, *command: str) -> bytes:
        """Run in the nearest folder that the working tree still has: git has to stand somewhere in the repository."""
        absolute = Path(os.path.realpath(path))  # `resolve` raises where links lead in a circle
        here = next(folder for folder in (absolute, *absolute.parents) if folder.is_dir())
        return git(*command, f"{self.name}:./{absolute.relative_to(here).as_posix()}", folder=here)
