"""Paths are spelled in two modules: no other glues the steps of a node's or a question's path, or takes one apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "archdsl"
SPELLERS = {"space/node_path.py", "space/path.py", "ir/names.py"}
"""The third spells the names that modules and tensors have in torch."""
FOLDERS = ("data/", "vcs/", "train/", "backends/", "session/")
FILES = (*FOLDERS, "files.py", "staging.py", "plugins.py", "cli/texts.py", "documents.py")
"""Where `path` and `frame` are those of files, films and JSON documents."""

PARTED = {"partition", "rpartition", "split", "rsplit", "removeprefix", "removesuffix"}
ABOUT_PATHS = re.compile(r"\b(path|paths|question|scope|place|frame|location|spelled|branch)\b")
STEP = re.compile(r"\b(path|question|scope|place|location|spelled)\b(\.(name|spelled|path))?$")


def offences(text: str) -> Iterator[str]:
    """Calls that take a path apart, and texts that put a dot, a bracket or a tag behind one."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=attr)) if attr in PARTED:
                if ABOUT_PATHS.search(ast.unparse(receiver).replace("_", " ")):
                    yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value="."), attr="join"), args=[given]):
                if ABOUT_PATHS.search(ast.unparse(given).replace("_", " ")):
                    yield ast.unparse(node)
            case ast.JoinedStr(values=values):
                for before, after in zip(values, [*values[1:], ast.Constant("")], strict=True):
                    if isinstance(before, ast.FormattedValue) and isinstance(after, ast.Constant):
                        glued = str(after.value)[:1] in (".", "[", "@") and str(after.value)[1:2].strip(" `") != ""
                        glued = glued or str(after.value) in (".", "[", "@")
                        if glued and STEP.search(ast.unparse(before.value).replace("_", " ")):
                            yield ast.unparse(node)
            case _:
                pass


@pytest.mark.parametrize(
    "line",
    [
        "path = '.'.join((frame.name for frame in node.frames))",
        "path = f'{path}.{frame}' if path else str(frame)",
        "branch = node.path.partition('.')[0]",
        "bare = frame.name.removeprefix(f'{branch}.')",
        "scope = question.path.rpartition('.')[0]",
        "name = f'{question.path}[{index}]'",
    ],
)
def test_what_glues_or_parts_a_path_is_seen(line: str) -> None:
    assert list(offences(line))


def test_nobody_else_glues_or_parts_paths() -> None:
    found = {
        name: lines
        for file in sorted(PACKAGE.rglob("*.py"))
        if not (name := file.relative_to(PACKAGE).as_posix()).startswith(FILES)
        and name not in SPELLERS
        and (lines := list(offences(file.read_text("utf-8"))))
    }
    assert not found
