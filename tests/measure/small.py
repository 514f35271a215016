"""A small space, a table filled for it in this process, and commands as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from archdsl.cli.main import run

SPACE = """archdsl 1

use std

cell node(c) {
  in x
  choose operator in {conv3x3, conv1x1}
  out x -> operator(c)
}

space net(c = 4) {
  in image: 3x16x32
  stem = image -> conv3x3(c, s = 2)
  trunk = chain(stem) {
    each node(c) * 3
  }
  out logits = trunk -> conv(5, k = 1) -> resize(2)
}
"""
ROWS = 5
"""The stem, two ops, the conv and the resize."""


def space_in(folder: Path) -> Path:
    path = folder / "net.arch"
    path.write_text(SPACE, encoding="utf-8")
    return path


def fill(folder: Path, *options: str, table: str = "ort.json", runtime: str = "ort") -> int:
    """The exit code of `cost fill` for the space, in this process."""
    arguments = ["cost", "fill", str(space_in(folder)), "--runtime", runtime, "-o", str(folder / table)]
    return run([*arguments, *options])


def started(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """The same as a process of its own."""
    arguments = ["cost", "fill", str(space_in(folder)), "--runtime", "ort", "-o", str(folder / "ort.json")]
    return subprocess.Popen(
        [sys.executable, "-m", "archdsl", *arguments, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
