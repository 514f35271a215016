"""Every page of `meaning/`, and the rules of meaning, say what the checker says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.diagnostics import titles
from tests.spec.pages import MAIN, Example, examples, shown

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "rules.md"
PAGES = [*sorted(Path(__file__).with_name("meaning").glob("*.md")), RULES]
EXAMPLES = [(page, example) for page in PAGES for example in examples(page.read_text(encoding="utf-8"))]


def name(value: object) -> str:
    return value.stem if isinstance(value, Path) else f"line {value.line}" if isinstance(value, Example) else ""


@pytest.mark.parametrize(("page", "example"), EXAMPLES, ids=name)
def test_a_text_is_answered_as_its_page_shows(page: Path, example: Example, tmp_path: Path) -> None:
    assert shown(example, tmp_path) == example.expected


@pytest.mark.parametrize(("page", "example"), EXAMPLES, ids=name)
def test_diagnostics_are_few_and_can_be_acted_on(page: Path, example: Example, tmp_path: Path) -> None:
    found = example.diagnostics(tmp_path)
    assert len(found) <= 4
    for diagnostic in found:
        assert diagnostic.code in titles()
        assert not diagnostic.message[0].isupper()
        assert not diagnostic.message.endswith(".")
        for word in ("invalid", "something wrong", "``", "object at", "Map("):
            assert word not in diagnostic.message
        assert diagnostic.primary is None or diagnostic.primary.text
        places = [mark.span for mark in diagnostic.secondary]
        assert len(set(places)) == len(places)


def test_one_place_is_reported_once() -> None:
    for _, example in EXAMPLES:
        heads = [line for line in example.expected.splitlines() if line.lstrip().startswith("--> ")]
        spread = [line for line in heads if heads.count(line) > 1]
        missing = example.expected.count("error[E0412]") + example.expected.count("error[E0602]")
        assert not spread or missing >= len(spread), example.line


def test_every_page_has_texts_that_are_well_and_texts_that_are_not() -> None:
    for page in PAGES:
        found = list(examples(page.read_text(encoding="utf-8")))
        assert any(example.expected for example in found), page
        assert all(MAIN in example.files for example in found), page


def test_rules_that_are_cited_have_a_heading_and_an_example() -> None:
    page = RULES.read_text(encoding="utf-8")
    sections = page.split("\n## ")[1:]
    named = {re.sub(r"[^a-z]+", "-", each.partition("\n")[0].lower()): each for each in sections}
    assert all("```arch" in each for name, each in named.items() if name.startswith("rule-"))
    folders = (ROOT / "archdsl", ROOT / "docs", ROOT / "tests" / "spec")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".md")]
    cited = {
        name
        for path in files
        for name in re.findall(r"(?<![\w-])((?:rule|property)-[a-z]+(?:-[a-z]+)*)", path.read_text(encoding="utf-8"))
    }
    assert cited
    assert cited <= set(named)
