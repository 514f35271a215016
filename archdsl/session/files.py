"""Files that a check reads: unsaved buffers of an editor, and a record of what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias, assert_never

from archdsl.diagnostics import Diagnostic
from archdsl.files import read_whole
from archdsl.sema.modules.files import Disk, Files, shown
from archdsl.syntax import decode
from archdsl.text import SourceFile


@dataclass(frozen=True, slots=True)
class Buffers:
    """Texts in memory by their absolute paths, over other files: what an editor holds and has not saved."""

    texts: Mapping[Path, str]
    below: Files = field(default_factory=Disk)

    def is_file(self, path: Path) -> bool:
        return path in self.texts or self.below.is_file(path)

    def is_folder(self, path: Path) -> bool:
        return any(path in each.parents for each in self.texts) or self.below.is_folder(path)

    def names(self, folder: Path) -> Sequence[str]:
        held = {path.name for path in self.texts if path.parent == folder}
        return sorted({*held, *self.below.names(folder)})

    def read(self, path: Path) -> SourceFile | Diagnostic:
        text = self.texts.get(path)
        if text is None:
            return self.below.read(path)
        return decode(shown(path), text.encode("utf-8", "surrogatepass"))


_LARGEST: Final = 64 << 20
"""Bytes, more than any file may have that a check reads."""


class _Asked(Enum):
    IS_FILE = auto()
    IS_FOLDER = auto()
    NAMES = auto()
    TEXT = auto()


_Answer: TypeAlias = "bool | tuple[str, ...] | SourceFile | Diagnostic"
Record: TypeAlias = "tuple[tuple[_Asked, Path, _Answer], ...]"
"""What was asked of files, and what they answered."""


@dataclass(slots=True)
class Recorder:
    """Files that note what is asked of them; each question is put to the files below once."""

    below: Files
    _answers: dict[tuple[_Asked, Path], _Answer] = field(default_factory=dict["tuple[_Asked, Path]", "_Answer"])

    @property
    def record(self) -> Record:
        return tuple((asked, path, answer) for (asked, path), answer in self._answers.items())

    def agrees(self, record: Record) -> bool:
        """Whether the files answer today as they did when `record` was made."""
        return all(self._ask(asked, path) == answer for asked, path, answer in record)

    def is_file(self, path: Path) -> bool:
        return self._ask(_Asked.IS_FILE, path) is True

    def is_folder(self, path: Path) -> bool:
        return self._ask(_Asked.IS_FOLDER, path) is True

    def names(self, folder: Path) -> Sequence[str]:
        answer = self._ask(_Asked.NAMES, folder)
        assert isinstance(answer, tuple)
        return answer

    def read(self, path: Path) -> SourceFile | Diagnostic:
        answer = self._ask(_Asked.TEXT, path)
        assert isinstance(answer, SourceFile | Diagnostic)
        return answer

    def _ask(self, asked: _Asked, path: Path) -> _Answer:
        key = (asked, path)
        if key not in self._answers:
            self._answers[key] = self._below(asked, path)
        return self._answers[key]

    def _below(self, asked: _Asked, path: Path) -> _Answer:
        match asked:
            case _Asked.IS_FILE:
                return self.below.is_file(path)
            case _Asked.IS_FOLDER:
                return self.below.is_folder(path)
            case _Asked.NAMES:
                return tuple(self.below.names(path))
            case _Asked.TEXT:
                return self.below.read(path)
            case _:
                assert_never(asked)


def digest(path: Path) -> str:
    """What a file on the disk holds, as sha256; empty where there is no file to read.

    Of a file that is larger than any that is accepted it tells only that.
    """
    try:
        return sha256(read_whole(path, _LARGEST)).hexdigest() if path.is_file() else ""
    except OSError:
        return ""
