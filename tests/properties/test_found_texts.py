"""Texts that once gave a traceback, a wrong answer or no end, all through what `benchmarks.fuzz` puts texts through."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.fuzz.exercise import Clock, exercise

TEXTS = sorted((Path(__file__).parent / "texts").glob("*.arch"))
REFUSED = {
    "long_library_name": ("E0020",),
    "pipe_of_a_number": ("E0307",),
    "set_that_holds_itself": ("E0401",),
}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_text_that_was_found_is_answered(text: Path, tmp_path: Path) -> None:
    copy = tmp_path / text.name
    shutil.copy(text, copy)
    outcome = exercise(copy, Clock(), further=True)
    errors = tuple(code for code in outcome.codes if code.startswith("E"))
    assert errors == REFUSED.get(text.stem, ())
    assert outcome.kind == ("refused" if text.stem in REFUSED else "clean")
