"""Pages that a user can read and a test can run: prose, texts, and sessions in a terminal.

A block ```` ```arch net.arch ````, or of JSON or Python with a name, is a file. A block ```` ```console ```` holds
commands behind `$` and what a terminal shows of them, both streams in their order; `exit 1` is the exit code where it
is not 0. `…` stands for anything in a line, and on a line of its own for any number of lines. A page is run from top
to bottom in one folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^```(?P<kind>arch|json|python|console)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_PACKAGED = re.compile(r"[^\s`\"]*/std\.arch")
"""The library lies elsewhere on every machine."""
_ANY = "…"
_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a session, and what is expected of it."""

    line: int
    text: str
    expected: str

    def agrees(self, shown: str) -> bool:
        return re.fullmatch("".join(map(_pattern, self.expected.splitlines(keepends=True))), shown) is not None


@dataclass(frozen=True, slots=True)
class File:
    """A text that the next commands find in their folder."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command shows, and what it should."""

    command: Command
    text: str

    @property
    def agrees(self) -> bool:
        return self.command.agrees(self.text)

    def __str__(self) -> str:
        return f"line {self.command.line}: $ {self.command.text}\n{self.text}"


def _pattern(line: str) -> str:
    if line.strip() == _ANY:
        return r"(?:.*\n)*?"
    return re.escape(line).replace(_ANY, ".*?")


def steps(page: str) -> Iterator[File | Command]:
    """The files and commands of a page in their order."""
    for match in _BLOCK.finditer(page):
        name = match["rest"].strip()
        if match["kind"] != "console":
            if name:
                yield File(name, match["text"])
            continue
        yield from _commands(match["text"], page.count("\n", 0, match.start("text")) + 1)


def _commands(block: str, first_line: int) -> Iterator[Command]:
    lines = block.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        told = start + 1
        while lines[told - 1].endswith("\\\n"):
            told += 1
        text = "".join(lines[start:told])[2:].rstrip("\n")
        yield Command(first_line + start, text, "".join(lines[told:stop]).rstrip("\n") + "\n")


def prepare(folder: Path) -> None:
    """What every session finds: a project with the packaged spaces in it."""
    (folder / "pyproject.toml").touch()
    shutil.copytree(ROOT / "spaces", folder / "spaces")


def environment(folder: Path) -> dict[str, str]:
    """The environment of a session in `folder`: `archdsl` on the path, no colours, one thread."""
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    program = programs / "archdsl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m archdsl "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "GIT_DIR")}
    return {
        **kept,
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONSAFEPATH": "1",
        "TMPDIR": str(programs),
        "COLUMNS": "80",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
    }


def run(command: str, folder: Path, variables: Mapping[str, str]) -> str:
    """What a terminal shows of a command, and how it ended."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_LIMIT_S,
        check=False,
    )
    text = _PACKAGED.sub("std.arch", done.stdout.decode(errors="backslashreplace")).rstrip("\n")
    ended = f"exit {done.returncode}" if done.returncode else ""
    return "\n".join(filter(None, [text, ended])) + "\n"


def play(page: str, folder: Path) -> Iterator[Shown]:
    """Run a page in a folder."""
    variables = environment(folder)
    for step in steps(page):
        if isinstance(step, File):
            path = folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        else:
            yield Shown(step, run(step.text, folder, variables))


def rewritten(page: str, folder: Path) -> str:
    """The page with what commands show today; what agrees is kept as it is written."""
    lines = page.splitlines(keepends=True)
    for shown in reversed(list(play(page, folder))):
        if shown.agrees:
            continue
        start = shown.command.line + shown.command.text.count("\n")
        stop = start + (shown.command.expected.count("\n") if shown.command.expected.strip() else 0)
        lines[start:stop] = [shown.text if shown.text.strip() else ""]
    return "".join(lines)


if __name__ == "__main__":
    for written in map(Path, sys.argv[1:]):
        with TemporaryDirectory() as place:
            prepare(Path(place))
            text = rewritten(written.read_text(encoding="utf-8"), Path(place))
        written.write_text(text, encoding="utf-8")
