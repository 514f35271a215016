"""No path leads from a text to silence: grids whose places name their inputs are refused with words, or known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from benchmarks.fuzz.exercise import Clock, exercise
from tests.properties.grid_texts import grid_texts

ALLOWED = {"E0304", "E0307", "E0308", "E0310", "E0312", "E0406", "E0407", "E0404"}
"""What a grid without enough to read is told."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grids") / "net.arch"


def is_known(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    outcome = exercise(file, Clock(), further=True)
    errors = {code for code in outcome.codes if code.startswith("E")}
    assert errors <= ALLOWED, errors
    assert bool(errors) == (outcome.kind == "refused")
    assert outcome.kind == "refused" or outcome.notes


@settings(max_examples=80)
@given(grid_texts())
def test_a_grid_is_refused_with_words_or_known(file: Path, text: str) -> None:
    is_known(file, text)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(grid_texts())
def test_many_grids_are(file: Path, text: str) -> None:
    is_known(file, text)
