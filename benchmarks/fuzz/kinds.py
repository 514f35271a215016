"""What can be broken, by name: texts, projects of several files, and folders of what commands read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final, Protocol

from benchmarks.fuzz.exercise import Clock, Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One broken thing, as files in a folder of its own."""

    original: str
    how: tuple[str, ...]
    file: Path
    """The file that was broken."""
    readers: tuple[Path, ...] = ()
    """Other files of the folder that use it."""


class Kind(Protocol):
    """Case N of a seed is the same wherever it is made, as far as the commands that make its original are."""

    @property
    def slow_s(self) -> float:
        """CPU seconds of one stage, which is what a command does; what takes longer is a finding."""
        ...

    @property
    def memory(self) -> int:
        """Bytes that a process may map."""
        ...

    @property
    def batch(self) -> int:
        """A process ends after so many cases, so that no cache and no leak of one hides what the next ones cost."""
        ...

    def make(self, random: Random, folder: Path) -> Case:
        """Write a case into an empty folder."""
        ...

    def exercise(self, case: Case, random: Random, clock: Clock, *, further: bool) -> Outcome:
        """Put a case through what reads it. Raises whatever is a finding."""
        ...


def _texts(_scratch: Path) -> Kind:
    from benchmarks.fuzz.texts import Texts

    return Texts()


def _projects(_scratch: Path) -> Kind:
    from benchmarks.fuzz.projects import Projects

    return Projects()


def _folder(name: str) -> Callable[[Path], Kind]:
    def made(scratch: Path) -> Kind:
        from benchmarks.fuzz.folders import FOLDERS, Folders

        return Folders.built(FOLDERS[name], scratch / name)

    return made


KINDS: Final[Mapping[str, Callable[[Path], Kind]]] = MappingProxyType(
    {"texts": _texts, "projects": _projects}
    | {name: _folder(name) for name in ("tables", "manifests", "runs", "searches", "weights", "onnx")}
)
"""Each is made with a folder for its originals."""
