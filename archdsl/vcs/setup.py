"""Git configuration for archdsl: config entries, and a line of attributes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from archdsl.staging import rewrite, write_atomic
from archdsl.vcs.git import GitRefused, git, run, top

LINE: Final = "*.arch diff=archdsl merge=archdsl"
_SECTIONS: Final = ("diff.archdsl", "difftool.archdsl", "merge.archdsl")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the settings go: one repository, or all of a user's."""

    scope: str
    """`--local` or `--global`, as `git config` has it."""
    folder: Path
    config: Path
    attributes: Path

    @classmethod
    def repository(cls, folder: Path) -> Place:
        """Raises GitMissing, NoRepository."""
        above = top(folder)
        config = above / _path(git("rev-parse", "--git-path", "config", folder=above))
        return cls("--local", above, config, above / ".gitattributes")

    @classmethod
    def user(cls) -> Place:
        """Raises GitMissing."""
        told = run("config", "--global", "--type=path", "--get", "core.attributesFile").stdout
        others = Path(os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")) / "git"
        return cls("--global", Path(), _of_user(others / "config"), _path(told) if told else others / "attributes")

    def get(self, name: str) -> str | None:
        found = run("config", self.scope, "--get", name, folder=self.folder)
        return None if found.returncode else os.fsdecode(found.stdout).removesuffix("\n")

    def has(self, section: str) -> bool:
        pattern = f"^{section.replace('.', chr(92) + '.')}{chr(92)}."
        return run("config", self.scope, "--get-regexp", pattern, folder=self.folder).returncode == 0

    def change(self, edits: Sequence[Sequence[str]]) -> None:
        """Edits of the configuration, as arguments of `git config`, all of them or none.

        git edits a copy, which takes the place of what was copied in one step. Raises GitRefused, OSError.
        """
        before = _data(self.config)
        if edits and self.config.with_name(f"{self.config.name}.lock").exists():
            raise GitRefused(f"git is changing `{self.config}`: run the command again when it has ended".encode())
        with TemporaryDirectory(prefix="archdsl-") as folder:
            copy = Path(folder) / "config"
            copy.write_bytes(before)
            for each in edits:
                git("config", "--file", str(copy), *each)
            _replace(self.config, before, copy.read_bytes())


def _of_user(other: Path) -> Path:
    """The file of `git config --global`; `other` is used where it is the only one."""
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    own = Path.home() / ".gitconfig"
    return Path(named) if named else other if other.exists() and not own.exists() else own


def _path(told: bytes) -> Path:
    return Path(os.fsdecode(told.removesuffix(b"\n")))


def settings() -> Mapping[str, str]:
    """By name. The program is named by where it lies: git is also run where no virtual environment is active."""
    program = f"{shlex.quote(Path(sys.executable).as_posix())} -P -m archdsl git"
    return {
        "diff.archdsl.textconv": f"{program} textconv --",
        "diff.archdsl.xfuncname": "^((op|ops|cell|space|cost|search|train|genotype) .*)$",
        "difftool.archdsl.cmd": f'{program} difftool -- "$LOCAL" "$REMOTE" "$MERGED"',
        "merge.archdsl.name": "texts of archdsl",
        "merge.archdsl.driver": f"{program} merge --marker-size %L -- %O %A %B",
    }


def missing(place: Place) -> Sequence[str]:
    """Differences from what `install` writes: names of config entries, and the attributes file."""
    found = [name for name, value in settings().items() if place.get(name) != value]
    return found if LINE in _lines(place.attributes) else [*found, str(place.attributes)]


def install(place: Place) -> Sequence[str]:
    """Writes what is missing, and returns it. Raises GitRefused, OSError."""
    found = missing(place)
    place.change([(name, value) for name, value in settings().items() if name in found])
    if str(place.attributes) in found:
        before = _data(place.attributes)
        end = b"" if not before or before.endswith(b"\n") else b"\n"
        _replace(place.attributes, before, before + end + f"{LINE}\n".encode())
    return found


def remove(place: Place) -> Sequence[str]:
    """Removes what `install` wrote, and nothing else, and returns it. Raises GitRefused, OSError."""
    found = [section for section in _SECTIONS if place.has(section)]
    place.change([("--remove-section", section) for section in found])
    if LINE not in _lines(place.attributes):
        return found
    before = _data(place.attributes)
    kept = b"".join(line for line in before.splitlines(keepends=True) if line.strip() != LINE.encode())
    if kept or place.attributes.is_symlink():
        _replace(place.attributes, before, kept)
    else:
        place.attributes.unlink()
    return [*found, str(place.attributes)]


def _lines(file: Path) -> Sequence[str]:
    return [line.strip().decode(errors="replace") for line in _data(file).splitlines()]


def _data(file: Path) -> bytes:
    """Empty where there is no file."""
    return file.read_bytes() if file.exists() else b""


def _replace(file: Path, before: bytes, after: bytes) -> None:
    """In one step; a link stays, and leads to the new file. Raises ChangedMeanwhile, OSError."""
    if before == after:
        return
    place = file.resolve()
    if place.exists():
        rewrite(place, before, after)
    else:
        write_atomic(place, after)
