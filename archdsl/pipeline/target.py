"""What a command is given: a file, an item in it, standard input, or a file as git has it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from archdsl.diagnostics import Diagnostic
from archdsl.syntax import bytes_of, decode, read
from archdsl.text import SourceFile

_ITEM = re.compile(r"(?P<file>.+):(?P<item>[A-Za-z_][A-Za-z0-9_]*)")
_GIT = re.compile(r"git:(?P<revision>[^:]*):(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Target:
    """`file.arch`, `file.arch:NAME`, `-`, or `git:REVISION:file.arch`."""

    file: str
    item: str | None = None

    @classmethod
    def parse(cls, written: str) -> Target:
        match = _ITEM.fullmatch(written)
        if match and not Path(written).exists() and (match["file"] == "-" or match["file"].endswith(".arch")):
            return cls(match["file"], match["item"])
        return cls(written)

    @property
    def path(self) -> Path | None:
        """Where the text lies, and where its `use` looks; None for standard input."""
        if self.file == "-":
            return None
        git = _GIT.fullmatch(self.file)
        return Path(git["path"] if git else self.file)

    def read(self) -> SourceFile | Diagnostic:
        """The text, or what keeps it from being read."""
        if self.file == "-":
            return decode("<stdin>", bytes_of(sys.stdin.buffer))
        if git := _GIT.fullmatch(self.file):
            return _from_git(self.file, git["revision"], git["path"])
        return read(Path(self.file))


def _from_git(name: str, revision: str, path: str) -> SourceFile | Diagnostic:
    """A file at a revision. A revision that looks like an option is refused before git sees it."""
    folder = Path(path).resolve().parent
    if revision.startswith("-") or not folder.is_dir():
        return Diagnostic("E0001", f"`{name}` names no file of a revision", None, file=name)
    command = ["git", "-C", str(folder), "show", f"{revision}:./{Path(path).name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return Diagnostic("E0001", f"`{name}` cannot be read: git is not installed", None, file=name)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["git gives no reason"]
        return Diagnostic("E0001", f"`{name}` cannot be read: {reason[-1]}", None, file=name)
    return decode(name, done.stdout)
