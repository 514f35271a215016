"""Warnings: a rule has a page, the texts of the repository have none, and a text with errors is not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.diagnostics import Severity, page
from archdsl.lint import RULES
from archdsl.pipeline import check

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("spaces/**/*.arch"), *ROOT.glob("tests/texts/**/*.arch")])

BASE = """archdsl 1

use std

op spare(c) = conv(c) -> bn

space net() {
  in image: 3x32x64
  left = image -> conv3x3(8)
  right = image -> conv3x3(8)
  out logits = left
}
"""


def test_each_rule_has_a_code_of_its_own_and_a_page() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert all(page(rule.code) for rule in RULES)


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.stem)
def test_the_texts_of_the_repository_are_free_of_warnings(file: Path) -> None:
    assert check(str(file)).diagnostics == ()


def test_warnings_leave_a_text_checked(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(BASE, encoding="utf-8")
    found = check(str(file))
    assert [each.code for each in found.diagnostics] == ["W0203", "W0208"]
    assert all(each.severity is Severity.WARNING for each in found.diagnostics)
    assert [each.name for each in found.meanings] == ["net"]


def test_a_text_with_errors_has_no_warnings(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(BASE.replace("out logits = left", "out logits = rihgt"), encoding="utf-8")
    assert [each.severity for each in check(str(file)).diagnostics] == [Severity.ERROR]
