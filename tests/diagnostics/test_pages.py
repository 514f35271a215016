"""Every code has a page, and the examples on it are what it says."""

import re
import shutil
from pathlib import Path

import pytest

from archdsl.diagnostics import page, titles
from archdsl.pipeline import check
from archdsl.syntax import codes, parse
from archdsl.text import SourceFile

SYNTAX_CODES = sorted(value for name, value in vars(codes).items() if name.isupper())
BLOCK = re.compile(r"```arch (bad|good)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("code", SYNTAX_CODES)
def test_every_code_of_the_syntax_has_a_page(code: str) -> None:
    text = page(code)
    assert text is not None
    assert text.startswith(f"# {code}: ")
    assert "invalid" not in text.lower()


@pytest.mark.parametrize("code", SYNTAX_CODES)
def test_the_examples_are_bad_and_good(code: str) -> None:
    blocks = BLOCK.findall(page(code) or "")
    assert [kind for kind, _ in blocks][-1] == "good"
    for kind, text in blocks:
        found = [diagnostic.code for diagnostic in parse(SourceFile(code, text)).diagnostics]
        assert found == ([code] if kind == "bad" else [])


def test_titles_are_those_of_the_pages() -> None:
    assert set(SYNTAX_CODES) <= set(titles())
    assert list(titles()) == sorted(titles())
    assert titles()["E0102"] == "a bracket is not closed"


@pytest.mark.parametrize("code", ["", "E01", "E9999", "../pages/E0101", "E0101.md", "e0101"])
def test_what_is_no_code_has_no_page(code: str) -> None:
    assert page(code) is None


def test_the_examples_of_the_language_reference_check(tmp_path: Path) -> None:
    """All but those that are marked `arch syntax`, which name files and spaces that are not there."""
    root = Path(__file__).parents[2]
    reference = (root / "docs" / "language.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```arch( syntax)?\n(.*?)```", reference, re.DOTALL)
    assert len(blocks) >= 5
    (tmp_path / "pyproject.toml").touch()
    for beside in (root / "spaces").glob("*.arch"):
        shutil.copy(beside, tmp_path)
    for number, (syntax, block) in enumerate(blocks):
        assert parse(SourceFile("language.md", block)).diagnostics == ()
        file = tmp_path / f"example_{number}.arch"
        file.write_text(block, encoding="utf-8")
        assert syntax or not check(str(file)).failed, check(str(file)).diagnostics
