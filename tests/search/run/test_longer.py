"""Searches that are resumed for longer: the phase that runs goes on, phases that are over stay as they were."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from archdsl.data import Data, open_data
from archdsl.search.run import SearchRequest, prepare, search
from archdsl.train.distributed import fabric_of
from archdsl.train.errors import Refused
from tests.search.run.texts import ONE, PHASES, searched, write


@cache
def streets() -> Data:
    return open_data("streets", size=(32, 64), count=8)


def ran(text: Path, out: Path, iterations: int | None = None, *, resume: bool = False) -> int:
    """The steps that a search has taken."""
    setup = prepare(SearchRequest(str(text), out, iterations=iterations), streets()).setup
    return search(setup, fabric_of("cpu", "fp32"), resume=resume).step


def stages(out: Path) -> list[tuple[str, int]]:
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return [(each["phase"], each["steps"]) for each in record["stages"]]


def test_a_search_of_one_phase_goes_on(tmp_path: Path) -> None:
    text = write(tmp_path, searched(ONE))
    assert ran(text, tmp_path / "run", 2) == 2
    assert ran(text, tmp_path / "run", 5, resume=True) == 5
    lines = (tmp_path / "run" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert [each["step"] for each in map(json.loads, lines) if each["event"] == "step"] == [1, 2, 3, 4, 5]
    with pytest.raises(Refused, match="was to take 5 steps, and 4 are asked for"):
        ran(text, tmp_path / "run", 4, resume=True)


def test_of_several_phases_the_last_goes_on(tmp_path: Path) -> None:
    text = write(tmp_path, searched(PHASES))
    assert ran(text, tmp_path / "run") == 2 + 3
    assert ran(text, tmp_path / "run", 6, resume=True) == 2 + 6
    assert stages(tmp_path / "run") == [("warming", 2), ("finding", 6)]
