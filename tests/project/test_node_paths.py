"""Node paths are spelled in one module: no other glues their steps together or takes a spelled path apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "archdsl"
GLUE = re.compile(
    r"\.join\([^\n]*(frames|frame\.name|each\.name for each in [^\n]*frames)"
    r"|\{frame(\.name|\.spelled)?\}"
    r"|(frame\.name|\.location\.spelled|node\.path)\.(partition|rpartition|split|rsplit|removeprefix|removesuffix)\("
)
OTHERS = {"space/node_path.py", "data/camvid.py"}
"""The module itself, and one whose frames are those of films."""


def offences(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if GLUE.search(line)]


@pytest.mark.parametrize(
    "line",
    [
        'path = ".".join(frame.name for frame in node.frames)',
        'path = f"{path}.{frame}" if path else str(frame)',
        'branch = node.path.partition(".")[0]',
        'bare = frame.name.removeprefix(f"{branch}.")',
    ],
)
def test_what_glues_or_splits_is_seen(line: str) -> None:
    assert offences(line) == [line]


def test_nobody_glues_or_splits_node_paths() -> None:
    found = {
        str(file.relative_to(PACKAGE)): lines
        for file in sorted(PACKAGE.rglob("*.py"))
        if (lines := offences(file.read_text("utf-8")))
    }
    assert not {file: lines for file, lines in found.items() if file not in OTHERS}
