"""Every code has a page, and the examples on it are what it says."""

import re
from pathlib import Path

import pytest

from archdsl.diagnostics import page, titles
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


def test_the_language_reference_is_read() -> None:
    reference = Path(__file__).parents[2] / "docs" / "language.md"
    blocks = re.findall(r"```arch\n(.*?)```", reference.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        assert parse(SourceFile("language.md", block)).diagnostics == ()
