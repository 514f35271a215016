"""What reaches a screen has one way there, which spells what a terminal would obey."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import archdsl

PACKAGE: Final = Path(archdsl.__file__).parent
OWNERS: Final = {
    "cli/output.py",
    "render/engine/graphviz.py",  # passes on, spelled, what a library has written to stderr
    "settings/reference.py",  # a program of its own that writes a page
}
WAYS: Final = {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write", "sys.stdout.buffer.write"}


def printed(file: Path) -> Iterator[str]:
    """The ways to a screen that a module takes."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WAYS:
            yield ast.unparse(node.func)


def test_only_the_owner_prints() -> None:
    found = {str(file.relative_to(PACKAGE)): set(printed(file)) for file in sorted(PACKAGE.rglob("*.py"))}
    assert {name for name, ways in found.items() if ways} == OWNERS
