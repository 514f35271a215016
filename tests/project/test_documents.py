"""What documents for contributors name is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PLACES: Final = ("archdsl", "grammars", "spaces", "docs", "tests", "benchmarks", "compiled")
PLACEHOLDERS: Final = {"archdsl/lint/RULE.py", "archdsl/cli/commands/NAME.py", "archdsl/diagnostics/pages/CODE.md"}
_QUOTED: Final = re.compile(r"`([\w./-]+)`")
_LINKED: Final = re.compile(r"\]\(([\w./-]+)\)")


def named(document: str) -> set[str]:
    """The files and folders of the repository that a document names, quoted or linked."""
    text = (ROOT / document).read_text(encoding="utf-8")
    quoted = {each for each in _QUOTED.findall(text) if each.split("/")[0] in PLACES and ("/" in each or "." in each)}
    return quoted | set(_LINKED.findall(text))


@pytest.mark.parametrize(
    "document", ["CONTRIBUTING.md", "CHANGELOG.md", "README.md", "docs/training.md", "docs/execution.md"]
)
def test_files_that_a_document_names_exist(document: str) -> None:
    folder = (ROOT / document).parent
    missing = {each for each in named(document) if not (ROOT / each).exists() and not (folder / each).exists()}
    assert missing - PLACEHOLDERS == set()


def test_the_house_has_every_package() -> None:
    packages = {f"archdsl/{file.parent.name}" for file in (ROOT / "archdsl").glob("*/__init__.py")}
    assert packages <= named("CONTRIBUTING.md")


def test_the_folder_of_compiled_files_is_kept_with_its_page() -> None:
    command = ["git", "check-ignore", "--no-index", "compiled/README.md", "compiled/net/net.onnx"]
    ignored = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True).stdout
    assert ignored.split() == ["compiled/net/net.onnx"]
