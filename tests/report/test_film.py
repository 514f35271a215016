"""Films: one layout, and what differs from step to step."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.pipeline import Loaded, load
from archdsl.pipeline.logits import probabilities
from archdsl.relax.phases import questions_of
from archdsl.render import Picture, Sheet
from archdsl.report.film import evenly, film
from archdsl.search.derive.plan import PLAIN
from tests.report.invented import ROOT


def pictures(loaded: Loaded, sheet: Sheet, cell: str | None, count: int) -> list[Picture]:
    """Of logits that mean nothing."""
    random = Random(0)
    program = loaded.program
    paths = questions_of(program, (PLAIN,)).rules
    found: list[Picture] = []
    for _ in range(count):
        logits = {path: tuple(random.gauss(0, 2) for _ in program.questions[path].answers) for path in paths}
        found.append(sheet.draw(cell=cell, chances=probabilities(logits, program)))
    return found


@pytest.mark.parametrize(
    ("space", "overrides", "cells"),
    [
        ("fasterseg", {"layers": "4"}, [None]),
        ("autortnet", {"cells": "2"}, [None, "normal@h1", "aggregation"]),
        ("gas", {}, ["trunk[1]"]),
    ],
)
def test_the_steps_up_to_one_give_its_picture(space: str, overrides: dict[str, str], cells: list[str | None]) -> None:
    loaded = load(f"{ROOT}/spaces/{space}.arch:{space}", overrides=overrides)
    sheet = Sheet(loaded)
    assert [cell for cell in cells if cell is not None and cell not in sheet.asking] == []
    for cell in cells:
        drawn = pictures(loaded, sheet, cell, 4)
        found = film("x", drawn)
        seen: dict[str, Any] = {}
        for picture, frame in zip(drawn, found.frames, strict=True):
            seen |= frame
            for number, line in enumerate(picture.lines, 1):
                if (look := seen.get(f"e{number}")) is not None:
                    assert (look["width"], look["colour"]) == (line.stroke.width, line.stroke.colour)
                    assert [text[0] for text in look["texts"]] == [text.text for text in line.label]
            for number, box in enumerate(picture.boxes, 1):
                if (look := seen.get(f"n{number}")) is not None:
                    assert [text[0] for text in look["texts"]] == [text.text for text in box.label]
        assert set(re.findall(r'data-part="(\w+)"', found.svg)) == set(seen) != set()
        for line in drawn[-1].lines:
            assert all(text.text in found.svg for text in line.label if "&" not in text.text)


def test_what_never_changes_does_not_move() -> None:
    loaded = load(f"{ROOT}/spaces/gas.arch:gas")
    sheet = Sheet(loaded)
    drawn = pictures(loaded, sheet, "trunk[1]", 1)
    assert not film("x", [drawn[0], drawn[0]]).moves


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=200).map(sorted), st.integers(2, 30))
def test_steps_are_chosen_evenly(steps: list[int], most: int) -> None:
    found = evenly(steps, most)
    assert len(found) == min(len(steps), most)
    assert (found[0], found[-1]) == (steps[0], steps[-1])
    assert found == sorted(set(found))
    if len(steps) > most:
        gaps = [steps.index(after) - steps.index(before) for before, after in pairwise(found)]
        assert max(gaps) - min(gaps) <= 1
