"""`archdsl` as people run it: in this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import archdsl

ROOT = Path(archdsl.__path__[0]).parent
STUDENT = str(ROOT / "spaces" / "genotypes" / "fasterseg_student.arch")
SMALL = "1x3x128x256"


def start(*arguments: str, before: str = "", **variables: str) -> subprocess.Popen[str]:
    """A process that looks for modules in the folder `before` first."""
    path = os.pathsep.join(filter(None, [before, str(ROOT)]))
    return subprocess.Popen(
        [sys.executable, "-m", "archdsl", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables},
    )


def finish(*arguments: str, before: str = "", **variables: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    with start(*arguments, before=before, **variables) as process:
        out, err = process.communicate()
    return process.returncode, out, err
