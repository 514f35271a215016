"""The journal: lines that can be read back, cut where a run goes on, and the same for TensorBoard."""

from __future__ import annotations

import resource
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from archdsl.runs.journal import read_events
from archdsl.train import journal


def test_it_is_read_back_and_cut(tmp_path: Path) -> None:
    log = journal.Journal(tmp_path, tensorboard=False)
    for step in range(1, 6):
        log.write("step", step, loss=1 / step)
    log.close()
    with (tmp_path / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "step", "st')  # where the machine went down
    assert [event["step"] for event in read_events(tmp_path)] == [1, 2, 3, 4, 5]
    journal.cut(tmp_path, 3)
    assert read_events(tmp_path)[-1] == {"event": "step", "step": 3, "loss": 1 / 3}


def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    events: Any = import_module("tensorboard.backend.event_processing.event_accumulator")  # by name: it has no types
    log = journal.Journal(tmp_path)
    log.write("step", 1, loss=0.5, note="a word")
    log.write("step", 2, loss=0.25)
    log.close()
    found = events.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert found.Tags()["scalars"] == ["step/loss"]
    assert [(each.step, each.value) for each in found.Scalars("step/loss")] == [(1, 0.5), (2, 0.25)]


def test_a_line_that_does_not_fit_on_the_disk_is_not_there_at_all(tmp_path: Path) -> None:
    log = journal.Journal(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as full:
            for step in range(1, 100):
                log.write("step", step, loss=1 / step)
    finally:
        log.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Path(str(full.value.filename)).parent in (tmp_path, tmp_path / "tensorboard")
    lines = (tmp_path / "journal.jsonl").read_bytes()
    assert lines.endswith(b"}\n")
    assert len(lines) > 500
