"""Journals that are broken: a last line that was cut off is left out, any other one is refused with its number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from archdsl.runs.errors import NoRun
from archdsl.runs.journal import read_events
from archdsl.train import journal

STEP: Final[dict[str, Any]] = {"event": "step", "step": 1, "epoch": 0, "lr": 0.1, "loss": 2.5}
CANDIDATE: Final[dict[str, Any]] = {
    "event": "candidate",
    "step": 1,
    "answers": {"x.operator": ["conv"]},
    "accuracy": 0.5,
    "params": 10,
    "macs": 100,
}


def written(folder: Path, *lines: str | bytes) -> Path:
    data = [line.encode() if isinstance(line, str) else line for line in lines]
    (folder / "journal.jsonl").write_bytes(b"".join(data))
    return folder


def test_what_runs_write_is_read(tmp_path: Path) -> None:
    every = [
        STEP,
        {"event": "score", "step": 1, "epoch": 1, "miou": 0.5, "accuracy": 0.75},
        {"event": "answers", "step": 1, "phase": "found", "epoch": 1, "entropy": {"operator": 1.0}, "skips": 2},
        {"event": "derived", "step": 1, "phase": "found", "of_step": 1, "genotype": "genotypes/found.arch"},
        {"event": "stopped", "step": 1, "phase": "found", "epoch": 1, "why": "a cell has 2 skip connections"},
        CANDIDATE,
        {"event": "of another version", "step": 2, "what": {"it": ["says", None, True]}},
    ]
    written(tmp_path, *(json.dumps(each) + "\n" for each in every))
    assert read_events(tmp_path) == every
    assert read_events(tmp_path / "nowhere") == []


@pytest.mark.parametrize("left", ["", "{", "{\n", '{"event": "step", "st', "\0" * 4096, '{"event": "\u00e4"'[:-2]])
def test_a_last_line_that_was_cut_off_is_left_out(left: str, tmp_path: Path) -> None:
    written(tmp_path, json.dumps(STEP) + "\n", left)
    assert read_events(tmp_path) == [STEP]
    journal.cut(tmp_path, 1)
    assert (tmp_path / "journal.jsonl").read_text(encoding="utf-8") == json.dumps(STEP) + "\n"


def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    written(tmp_path, json.dumps(STEP))
    journal.cut(tmp_path, 1)
    assert (tmp_path / "journal.jsonl").read_text(encoding="utf-8") == json.dumps(STEP) + "\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON"),
        ("", "no JSON"),
        (b'{"event": "\xff", "step": 1}', "no JSON"),
        ("[]", "has to be an object"),
        ("3", "has to be an object"),
        ('{"step": 1}', "`event` is missing"),
        ('{"event": [], "step": 1}', "`event` has to be a valid string"),
        ('{"event": "step"}', "`step` is missing"),
        ('{"event": "step", "step": -1}', "`step` has to be"),
        ('{"event": "step", "step": 1.5}', "`step` has to be a valid integer"),
        ('{"event": "step", "step": 1e99}', "`step` has to be"),
        ('{"event": "step", "step": 1, "step": 2}', "`step` stands there twice"),
        ('{"event": "step", "step": 1, "loss": "small"}', "`loss` has to be a valid number"),
        ('{"event": "step", "step": 1, "loss": NaN}', "it holds NaN or Infinity"),
        ('{"event": "step", "step": 1, "loss": 1e999}', "`loss` has to be a finite number"),
        ('{"event": "step", "step": 1, "of a term": NaN}', "it holds NaN or Infinity"),
        ('{"event": "step", "step": 1, "distill": "much"}', "`distill` has to be a valid number"),
        ('{"event": "step", "step": 1, "cost": {"latency": []}}', "`cost.latency` has to be a valid number"),
        ('{"event": "score", "step": 1, "miou": 41.2}', "`miou` has to be at most 1"),
        ('{"event": "answers", "step": 1, "entropy": [1]}', "`entropy` has to be"),
        ('{"event": "derived", "step": 1, "phase": "found"}', "`of_step` is missing"),
        ('{"event": "stopped", "step": 1, "why": {}}', "`why` has to be a valid string"),
        (json.dumps({**CANDIDATE, "answers": {"x": 1}}), "`answers.x` has to be"),
        (json.dumps({key: each for key, each in CANDIDATE.items() if key != "macs"}), "`macs` is missing"),
    ],
)
def test_a_broken_line_is_named(line: str | bytes, words: str, tmp_path: Path) -> None:
    written(tmp_path, json.dumps(STEP) + "\n", line, "\n", json.dumps(STEP) + "\n")
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(NoRun) as refused:
        journal.cut(tmp_path, 1)
    assert str(refused.value).startswith(f"`{tmp_path}/journal.jsonl`, line 2: ")
    assert words in str(refused.value)
    assert (tmp_path / "journal.jsonl").read_bytes() == before
