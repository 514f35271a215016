"""What a command is given: a file, an item in it, standard input, or a file as git has it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archdsl.diagnostics import Diagnostic
from archdsl.sema.modules.files import Disk, Files
from archdsl.syntax import bytes_of, decode, read
from archdsl.text import SourceFile
from archdsl.vcs import Revision

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_ITEM = re.compile(rf"(?P<file>.+):(?P<item>{_NAME})(?:@(?P<scale>{_NAME}))?", re.DOTALL)
_GIT = re.compile(r"git:(?P<revision>[^:]*):(?P<path>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """`file.arch`, `file.arch:NAME`, at a scale `file.arch:NAME@n`, `-`, or `git:REVISION:file.arch`."""

    file: str
    item: str | None = None
    place: Path | None = None
    """Where the text belongs, if it lies elsewhere: git hands out copies."""
    scale: str | None = None
    """The scale of the space at which it is meant."""

    @classmethod
    def parse(cls, written: str) -> Target:
        match = _ITEM.fullmatch(written)
        if match and not Path(written).exists() and (match["file"] == "-" or match["file"].endswith(".arch")):
            return cls(match["file"], match["item"], scale=match["scale"])
        return cls(written)

    @property
    def path(self) -> Path | None:
        """Where the text lies, and where its `use` looks; None for standard input."""
        if self.file == "-":
            return None
        if self.place is not None:
            return self.place
        git = _GIT.fullmatch(self.file)
        return Path(git["path"] if git else self.file)

    @property
    def files(self) -> Files:
        """Where what the text uses is read: for a text of a revision at that revision."""
        git = _GIT.fullmatch(self.file)
        return Revision(git["revision"]) if git else Disk()

    def read(self) -> SourceFile | Diagnostic:
        """The text, or what keeps it from being read."""
        if self.file == "-":
            return _standard_input()
        if git := _GIT.fullmatch(self.file):
            return Revision(git["revision"]).read_as(self.file, Path(git["path"]))
        return read(Path(self.file))


@cache
def _standard_input() -> SourceFile | Diagnostic:
    """It can be read once, and a command may ask for several of its items."""
    return decode("<stdin>", bytes_of(sys.stdin.buffer))
