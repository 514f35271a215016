"""The page of a difference: what stands on it, in numbers that `archdsl diff` prints too, and that it is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.pipeline import load
from archdsl.pipeline.compare import compare
from archdsl.report.diff_page import diff_page
from archdsl.report.page import page_html
from tests.report.browser import file_url, needs_chromium, shown
from tests.report.test_pages import Outline, sections

ROOT = Path(__file__).parents[2]
STUDENT = ROOT / "spaces" / "genotypes" / "fasterseg_student.arch"
TEACHER = ROOT / "spaces" / "genotypes" / "fasterseg_teacher.arch"


def page_of(before: Path, after: Path, *, show_all: bool = False) -> str:
    return page_html(diff_page(compare(load(str(before)), load(str(after))), show_all=show_all))


def test_a_page_has_the_picture_the_changes_and_their_costs() -> None:
    page = page_of(STUDENT, TEACHER)
    assert sections(page) == ["Picture", "Parameters", "Answers", "Cells", "Weights", "As text"]
    outline = Outline(page)
    assert outline.texts["title"][0] == "fasterseg_student → fasterseg_teacher - archdsl"
    assert "was 3.42 M, +546.3 %" in page
    found = compare(load(str(STUDENT)), load(str(TEACHER)))
    cells = page[page.index("<h2>Cells</h2>") : page.index("<h2>Weights</h2>")]
    values = [float(each["data-value"] or "nan") for each in Outline(cells).of("td") if "data-value" in each]
    assert found.totals is not None
    assert sum(values[0::3]) == pytest.approx(found.totals.after.params - found.totals.before.params, rel=1e-6)
    assert sum(values[1::3]) == pytest.approx(found.totals.after.macs - found.totals.before.macs, rel=1e-6)


def test_all_cells_are_listed_where_that_is_asked() -> None:
    assert page_of(STUDENT, TEACHER, show_all=True).count("<tr>") > page_of(STUDENT, TEACHER).count("<tr>")


def test_a_network_beside_itself_says_that_nothing_differs() -> None:
    page = page_of(STUDENT, STUDENT)
    assert "nothing differs" in page
    assert "Cells" not in sections(page)


def test_nothing_is_loaded_and_no_name_is_markup(tmp_path: Path) -> None:
    text = "archdsl 1\n\nspace net() {\n  in image: 3x8x8\n  y = image -> conv(4)\n  out logits = y -> conv(2)\n}\n"
    (tmp_path / "one.arch").write_text(text)
    (tmp_path / "other.arch").write_text(text.replace("conv(4)", "conv(8)"))
    page = page_of(tmp_path / "one.arch", tmp_path / "other.arch")
    outline = Outline(page)
    assert not [each for each in outline.elements if each[0] in ("link", "img", "iframe", "object")]
    assert not [each for _, each in outline.elements if any(name.startswith("on") for name in each)]
    assert "default-src &#x27;none&#x27;" in page


@needs_chromium
@pytest.mark.parametrize("width", [1400, 400])
def test_a_browser_shows_it_without_a_word_on_the_console(width: int, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of(STUDENT, TEACHER), encoding="utf-8")
    document, said = shown(file_url(file), width=width)
    assert said == []
    assert "fasterseg_teacher" in document
