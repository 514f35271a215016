"""The tutorial: every command is run in an empty folder and shows what the page says, and draws its pictures."""

import re
from pathlib import Path

import pytest

import archdsl
from tests.cli.console import ROOT, File, play, steps

TUTORIAL = ROOT / "docs" / "tutorial.md"
PICTURES = {"street.svg": "street.svg", "block.svg": "street_block.svg"}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of somebody who typed it all, and where they saw something else."""
    folder = tmp_path_factory.mktemp("tutorial")
    shown = play(TUTORIAL.read_text(encoding="utf-8"), folder)
    return folder, [str(each) for each in shown if not each.agrees]


def test_commands(followed: tuple[Path, list[str]]) -> None:
    assert followed[1] == []


@pytest.mark.parametrize(("drawn", "kept"), PICTURES.items())
def test_pictures(followed: tuple[Path, list[str]], drawn: str, kept: str) -> None:
    """The words in the kept picture are those in the drawn one: where a box stands may change with Graphviz."""
    words = [
        re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text(encoding="utf-8"))
        for file in (followed[0] / drawn, ROOT / "docs" / "pictures" / kept)
    ]
    assert words[0] and sorted(words[0]) == sorted(words[1]), f"draw `docs/pictures/{kept}` anew"


def test_texts_are_canonical() -> None:
    texts = [step.text for step in steps(TUTORIAL.read_text(encoding="utf-8")) if isinstance(step, File)]
    assert texts and [archdsl.format(text) for text in texts] == texts


def test_links() -> None:
    linked = re.findall(r"\]\(([^)]+)\)", TUTORIAL.read_text(encoding="utf-8"))
    assert linked and [link for link in linked if not (TUTORIAL.parent / link).exists()] == []
