"""Pages of runs: what stands on them, that they need nothing else, and that no text of a run becomes markup."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from archdsl.report.report import report
from archdsl.runs.errors import NoRun
from tests.report.browser import file_url, needs_chromium, shown
from tests.report.invented import AUTORTNET, CAS, FASTERSEG, GAS, write_run, write_sweep

HOSTILE = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"


class Outline(HTMLParser):
    """The elements of a page with their attributes, and the texts of some."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def sections(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", page)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search through a grid that goes on."""
    return write_run(tmp_path_factory.mktemp("grid") / "student", FASTERSEG)


@pytest.fixture
def search(grid: Path, tmp_path: Path) -> Path:
    """A copy, to be spoiled; as deep as the first, so that its text is found."""
    return Path(shutil.copytree(grid, grid.parent / tmp_path.name))


def test_a_search_of_cells_has_all_sections(tmp_path: Path) -> None:
    page = report(write_run(tmp_path / "gas", GAS))
    assert sections(page) == [
        "Curves",
        "How sure the search is",
        "Film",
        "Counts",
        "Networks",
        "What changed",
        "Record",
    ]
    outline = Outline(page)
    assert [each["data-part"] for each in outline.of("g") if "data-part" in each]
    data: Any = json.loads(outline.texts["script"][0])
    assert data["steps"] == [40, 80, 120, 160, 200, 240]
    assert len(data["films"]) == 14  # cells with questions of their own
    assert "70 edges" in page
    assert "found_gas_s" in page
    assert len(page) < 1_000_000


def test_a_search_of_hyper_cells_shows_how_many_there_are(tmp_path: Path) -> None:
    page = report(write_run(tmp_path / "autortnet", AUTORTNET))
    assert "cells up to the most probable exit" in page
    assert ">normal@h1</button>" in page


def test_a_search_that_goes_on_derives_as_far_as_it_can(grid: Path) -> None:
    page = report(grid)
    assert "no network is derived from the last step of `student`: `pick` compares `latency`" in page
    assert "240 of 240" in page
    assert "Film" in sections(page)


@pytest.mark.slow
def test_a_search_in_phases_has_a_film_of_each(tmp_path: Path) -> None:
    page = report(write_run(tmp_path / "cas", CAS))
    assert page.count('class="player"') == 2
    assert "found_backbone, which leaves 7 questions open" in page


def test_a_page_needs_nothing_else_and_may_reach_nothing(grid: Path) -> None:
    outline = Outline(report(grid))
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in outline.elements}
    for _, attributes in outline.elements:
        assert not {name for name in attributes if name in ("src", "style", "srcset") or name.startswith("on")}
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = [each["content"] for each in outline.of("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src" not in policy
    for name, text in (("style", outline.texts["style"][0]), ("script", outline.texts["script"][-1])):
        assert f"{name}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy


def test_no_text_of_a_run_becomes_markup(search: Path) -> None:
    clean = Outline(report(search))
    journal = search / "journal.jsonl"
    event = {
        "event": "step",
        "step": 5,
        "phase": HOSTILE,
        "loss": 1.0,
        HOSTILE: 2.0,
        "other": 1,
        "cost": {HOSTILE: 3.0},
    }
    more: list[dict[str, Any]] = [
        event,
        {**event, "step": 6},
        {"event": "answers", "step": 6, "entropy": {HOSTILE: 0.5}},
        {"event": "stopped", "step": 7, "phase": HOSTILE, "why": HOSTILE},
        {"event": "candidate", "step": 1, "accuracy": 0.5, "params": 1, "macs": 1, "answers": {HOSTILE: [HOSTILE]}},
        {"event": HOSTILE, "step": 8},
    ]
    with journal.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in more)
    record: dict[str, Any] = json.loads((search / "run.json").read_text(encoding="utf-8"))
    stages = [{"phase": HOSTILE, "beside": [HOSTILE], "steps": 3}, *record["stages"]]
    hostile = {**record, "space": HOSTILE, "cost": HOSTILE, "stages": stages, HOSTILE: HOSTILE}
    (search / "run.json").write_text(json.dumps(hostile), encoding="utf-8")
    outline = Outline(report(search))
    assert outline.of("img") == []
    assert len(outline.of("script")) == len(clean.of("script"))
    assert outline.texts["script"][-1] == clean.texts["script"][-1]
    assert not [name for _, attributes in outline.elements for name in attributes if name.startswith("on")]


def test_what_is_half_written_is_left_out(search: Path) -> None:
    whole = report(search)
    with (search / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "step", "step": 241, "lo')
    assert report(search) == re.sub(r"as of [^<]* UTC", re.findall(r"as of [^<]* UTC", report(search))[0], whole)
    (search / "logits" / "student" / "240.json").write_text("{", encoding="utf-8")
    page = report(search)
    assert "what `student` has learned is not shown" in page
    assert "Curves" in sections(page)


def test_a_text_that_has_changed_is_said(search: Path) -> None:
    record: dict[str, Any] = json.loads((search / "run.json").read_text(encoding="utf-8"))
    (search / "run.json").write_text(json.dumps({**record, "hash": "sha256:0"}), encoding="utf-8")
    assert "has changed since the run" in report(search)


@pytest.mark.parametrize(("file", "text"), [(None, ""), ("run.json", "{"), ("run.json", "[]")])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, file: str | None, text: str) -> None:
    if file is not None:
        (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(NoRun, match=r"no run|cannot be read"):
        report(tmp_path)


def test_a_sweep_shows_its_front_with_networks_and_all_members(tmp_path: Path) -> None:
    page = report(write_sweep(tmp_path / "sweep"))
    assert sections(page) == [
        "Accuracy against cost",
        "Points",
        "Members",
        "Scores",
        "The front",
        "Other networks",
        "Record",
    ]
    outline = Outline(page)
    anchors = {each["id"] for _, each in outline.elements if "id" in each}
    links = {each["href"] for each in outline.of("a")}
    assert {f"#member-w={w},seed={seed}" for w, seed in ((8, 0), (8, 1), (12, 0))} <= links
    assert links <= {f"#{anchor}" for anchor in anchors}
    assert "39.00 ± 1.41" in page  # the mean of 40 and 38 %, and their sample standard deviation
    assert "w=12,seed=1: `search` failed: the loss is NaN &lt;script&gt;" in page
    assert page.count("costs by cell") == 2  # on the front: one student, and the teacher


@needs_chromium
@pytest.mark.parametrize("width", [400, 1400])
def test_scripts_run_in_a_browser(grid: Path, tmp_path: Path, width: int) -> None:
    page = tmp_path / "page.html"
    page.write_text(report(grid), encoding="utf-8")
    document, console = shown(file_url(page), width=width)
    assert console == []
    assert '<html lang="en" class="js">' in document
    assert "<output>step 240</output>" in document
