"""A command in this process, and what has to hold of how it ends."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from archdsl.cli.exits import Exit
from archdsl.cli.main import run
from benchmarks.fuzz.exercise import Broken

_ENDS: Final = frozenset({Exit.FINE, Exit.FINDINGS, Exit.USAGE, Exit.TOOL, Exit.BEYOND_TOLERANCE})
_REPORT: Final = re.compile(r"the report is (?P<file>\S+\.log)")
_FRAME: Final = re.compile(r'File "[^"]*?archdsl/(?P<file>[^"]+)", line (?P<line>\d+)')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")


class Bug(Exception):
    """A command that ended with 70: what it was and where, the same for the same mistake; its report is the trace."""

    def __init__(self, what: str, report: str) -> None:
        super().__init__(what)
        self.report = report


def ended(arguments: Sequence[str], folder: Path) -> int:
    """The exit code of a command that runs in a folder. Raises Bug, and Broken for what it may not do."""
    out, err = _Stream(), _Stream()
    before = Path.cwd()
    os.chdir(folder)
    sys.stdout, sys.stderr = out, err
    try:
        code = run(arguments)
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        os.chdir(before)
    said = out.text() + err.text()
    if code == Exit.OURS:
        raise _bug(said, arguments)
    if code not in _ENDS:
        raise Broken(f"`{arguments[0]}` ends with {code}")
    if code != Exit.FINE and not said.strip():
        raise Broken(f"`{arguments[0]}` ends with {code} and says nothing")
    if _CONTROL.search(said):
        raise Broken(f"`{arguments[0]}` prints control characters: {said[:200]!r}")
    return int(code)


class _Stream(io.TextIOWrapper):
    """Standard output or error, kept."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace")

    def text(self) -> str:
        self.seek(0)
        return self.read()


def _bug(said: str, arguments: Sequence[str]) -> Bug:
    found = _REPORT.search(said)
    if found is None:
        return Bug(f"`{arguments[0]}` ends with 70 and no report", said)
    file = Path(found["file"])
    report = file.read_text(encoding="utf-8", errors="replace")
    file.unlink()
    last = re.sub(r"/\S*/", "…/", report.rstrip().splitlines()[-1])
    frames = _FRAME.findall(report)
    where = f"{frames[-1][0]}:{frames[-1][1]}" if frames else "?"
    return Bug(f"{' '.join(arguments[:2])}: {last[:120]} at {where}", report)
