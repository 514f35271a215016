"""What `show` prints of settings can be pasted, and means the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from archdsl.diagnostics.render import render
from archdsl.fmt import print_item
from archdsl.session import check_source
from archdsl.settings import Cost, Search, Training
from archdsl.settings.printer import item_tree, number_text
from archdsl.syntax import ast
from archdsl.text import SourceFile
from tests.settings.generated import TEXT, costs, searches, trainings

ROOT = Path(__file__).parents[2]
TEXTS = sorted((*(ROOT / "spaces").rglob("*.arch"), *(ROOT / "tests" / "texts").rglob("*.arch")))


def recipes_of(text: str, path: Path | None = None) -> dict[str, Search | Training | Cost]:
    checked = check_source(SourceFile("text", text), path=path)
    assert not checked.failed, render(checked.diagnostics)
    return {each.name: each for each in checked.recipes}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_pasted_over_what_it_was_printed_from(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = recipes_of(text, path)
    items = check_source(SourceFile("text", text), path=path).parsed.file.items
    for item in reversed(items):
        if not isinstance(item, ast.Search | ast.Train | ast.Cost):
            continue
        printed = print_item(item_tree(before[item.name.text]))
        text = text[: item.span.start] + printed + text[item.span.stop :]
    assert recipes_of(text, path) == before


def test_every_paper_has_settings_to_print() -> None:
    found = [each for path in TEXTS for each in recipes_of(path.read_text(encoding="utf-8"), path).values()]
    assert {type(each) for each in found} == {Search, Training, Cost}


@settings(max_examples=50)
@given(trainings())
def test_generated_trainings(training: Training) -> None:
    assert recipes_of(f"{TEXT}\n{print_item(item_tree(training))}")["given"] == training


@settings(max_examples=25)
@given(costs())
def test_generated_costs(cost: Cost) -> None:
    assert recipes_of(f"{TEXT}\n{print_item(item_tree(cost))}")["given"] == cost


@settings(max_examples=25)
@given(searches())
def test_generated_searches(search: Search) -> None:
    assert recipes_of(f"{TEXT}\n{print_item(item_tree(search))}")["given"] == search


def test_a_cost_of_another_folder_is_printed_as_this_one_names_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "costs.arch").write_text('archdsl 1\n\ncost latency = table("tables/x.json")\n')
    used = 'archdsl 1\n\nuse std\nuse "devices/costs.arch" as costs\n'
    text = f"{used}\ncost by_op = uniform(costs.latency, relative_to = bn)\n"
    path = tmp_path / "here.arch"
    cost = recipes_of(text, path)["by_op"]
    printed = print_item(item_tree(cost))
    assert '"devices/tables/x.json"' in printed
    assert recipes_of(f"archdsl 1\n\nuse std\n\n{printed}", path)["by_op"] == cost


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0005, "0.0005"), (3e-8, "3e-8"), (5.0, "5"), (1e20, "1e20"), (0.1 + 0.2, "0.30000000000000004")],
)
def test_numbers_are_short_and_exact(value: float, text: str) -> None:
    assert number_text(value) == text
