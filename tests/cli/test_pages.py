"""Pages in tests/cli/pages, and the README: every command is run, and shows what the page says."""

from pathlib import Path

import pytest

from tests.cli.console import ROOT, play, prepare

PAGES = sorted((Path(__file__).parent / "pages").glob("*.md"))


def disagreements(page: Path, folder: Path) -> list[str]:
    return [str(shown) for shown in play(page.read_text(encoding="utf-8"), folder) if not shown.agrees]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    assert disagreements(page, tmp_path) == []


def test_readme(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert disagreements(ROOT / "README.md", tmp_path) == []
