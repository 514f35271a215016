"""Git configuration for archdsl: config entries, and a line of attributes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archdsl.vcs.git import git, run, top

LINE: Final = "*.arch diff=archdsl merge=archdsl"
_SECTIONS: Final = ("diff.archdsl", "difftool.archdsl", "merge.archdsl")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the settings go: one repository, or all of a user's."""

    scope: str
    """`--local` or `--global`, as `git config` has it."""
    folder: Path
    attributes: Path

    @classmethod
    def repository(cls, folder: Path) -> Place:
        """Raises GitMissing, NoRepository."""
        above = top(folder)
        return cls("--local", above, above / ".gitattributes")

    @classmethod
    def user(cls) -> Place:
        """Raises GitMissing."""
        told = run("config", "--global", "--type=path", "--get", "core.attributesFile").stdout
        if told:
            return cls("--global", Path(), Path(os.fsdecode(told.rstrip(b"\n"))))
        home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        return cls("--global", Path(), Path(home) / "git" / "attributes")

    def get(self, name: str) -> str | None:
        found = run("config", self.scope, "--get", name, folder=self.folder)
        return None if found.returncode else os.fsdecode(found.stdout).removesuffix("\n")

    def set(self, name: str, value: str) -> None:
        """Raises GitRefused."""
        git("config", self.scope, name, value, folder=self.folder)

    def forget(self, section: str) -> None:
        """Raises GitRefused."""
        git("config", self.scope, "--remove-section", section, folder=self.folder)

    def has(self, section: str) -> bool:
        pattern = f"^{section.replace('.', chr(92) + '.')}{chr(92)}."
        return run("config", self.scope, "--get-regexp", pattern, folder=self.folder).returncode == 0


def settings() -> Mapping[str, str]:
    """By name. The program is named by where it lies: git is also run where no virtual environment is active."""
    program = f"{shlex.quote(Path(sys.executable).as_posix())} -P -m archdsl git"
    return {
        "diff.archdsl.textconv": f"{program} textconv",
        "diff.archdsl.xfuncname": "^((op|ops|cell|space|cost|search|train|genotype) .*)$",
        "difftool.archdsl.cmd": f'{program} difftool "$LOCAL" "$REMOTE" "$MERGED"',
        "merge.archdsl.name": "texts of archdsl",
        "merge.archdsl.driver": f"{program} merge %O %A %B --marker-size %L",
    }


def missing(place: Place) -> Sequence[str]:
    """Differences from what `install` writes: names of config entries, and the attributes file."""
    found = [name for name, value in settings().items() if place.get(name) != value]
    return found if LINE in _lines(place.attributes) else [*found, str(place.attributes)]


def install(place: Place) -> Sequence[str]:
    """Writes what is missing, and returns it. Raises GitRefused, OSError."""
    found = missing(place)
    for name, value in settings().items():
        if name in found:
            place.set(name, value)
    if str(place.attributes) in found:
        text = _text(place.attributes)
        end = "" if not text or text.endswith("\n") else "\n"
        _write(place.attributes, f"{text}{end}{LINE}\n")
    return found


def remove(place: Place) -> Sequence[str]:
    """Removes what `install` wrote, and nothing else, and returns it. Raises GitRefused, OSError."""
    found = [section for section in _SECTIONS if place.has(section)]
    for section in found:
        place.forget(section)
    if LINE not in _lines(place.attributes):
        return found
    kept = [line for line in _text(place.attributes).splitlines(keepends=True) if line.strip() != LINE]
    if kept:
        _write(place.attributes, "".join(kept))
    else:
        place.attributes.unlink()
    return [*found, str(place.attributes)]


def _lines(file: Path) -> Sequence[str]:
    return [line.strip() for line in _text(file).splitlines()]


def _text(file: Path) -> str:
    # Attributes name files, and a file name may hold any bytes: they come back as they were.
    return file.read_bytes().decode(errors="surrogateescape") if file.exists() else ""


def _write(file: Path, text: str) -> None:
    """Into the file that is there, so that links and permissions stay."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode(errors="surrogateescape"))
