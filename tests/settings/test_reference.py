"""The reference of settings is what the schema says."""

from __future__ import annotations

import re
from pathlib import Path

from archdsl.settings.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_written_from_the_schema() -> None:
    message = "write it again: python -m archdsl.settings.reference > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == reference(), message


def test_links_lead_to_headings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", page, re.MULTILINE)
    headings = {re.sub(r"[^a-z_ -]", "", each.lower()).replace(" ", "-") for each in titles}
    links = set(re.findall(r"\]\(#([^)]*)\)", page))
    assert links
    assert links <= headings
