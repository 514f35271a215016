"""Runs git, and types its failures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


class GitMissing(Exception):
    """There is no git on the path."""

    def __init__(self) -> None:
        super().__init__("git is not installed: https://git-scm.com/downloads, or `apt install git`")


class GitRefused(Exception):
    """A git command failed; the message is the last line of its output."""

    def __init__(self, words: bytes) -> None:
        lines = words.decode(errors="replace").strip().splitlines() or ["git gives no reason"]
        super().__init__(lines[-1].removeprefix("fatal: ").removeprefix("error: "))


class NoRepository(Exception):
    """A folder outside of any git working tree."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"`{folder}` is in no git repository; `git init` makes one, `--global` needs none")


def run(*arguments: str, folder: Path = Path()) -> subprocess.CompletedProcess[bytes]:
    """Runs git in `folder` with English messages. Raises GitMissing."""
    import subprocess

    try:
        return subprocess.run(
            ["git", *arguments], cwd=folder, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise GitMissing from None


def git(*arguments: str, folder: Path = Path()) -> bytes:
    """The output of a git command. Raises GitMissing, GitRefused."""
    done = run(*arguments, folder=folder)
    if done.returncode:
        raise GitRefused(done.stderr)
    return done.stdout


def top(folder: Path) -> Path:
    """The top of the working tree that holds `folder`. Raises GitMissing, NoRepository."""
    try:
        return Path(os.fsdecode(git("rev-parse", "--show-toplevel", folder=folder)).rstrip("\n"))
    except GitRefused:
        raise NoRepository(folder.resolve()) from None
