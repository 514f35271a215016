"""Searches that end early, as runs: what the journal says, what is derived, what `--resume` does."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from archdsl.data import Data, open_data
from archdsl.search.derive.runs import from_run
from archdsl.search.robustness.collapse import Watch
from archdsl.search.run import SearchRequest, prepare, search
from archdsl.settings.robustness import Collapse
from archdsl.train.distributed import fabric_of
from tests.search.run.texts import searched, write

LENGTH = "levels = one\n  epochs = 5\n  iterations_per_epoch = 2\n  "


@cache
def streets() -> Data:
    return open_data("streets", size=(32, 64), seed=0)


def run(folder: Path, name: str, how: str, *, resume: bool = False, every: int | None = None) -> Path:
    text = write(folder, searched(f"{LENGTH}{how}"))
    out = folder / name
    request = SearchRequest(str(text), out, eigenvalue_every=every, score_every=10)
    assert search(prepare(request, streets()).setup, fabric_of("cpu", "fp32"), resume=resume).finished
    return out


def journal(out: Path, event: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (out / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["event"] == event]


def test_it_ends_and_does_not_go_on(tmp_path: Path) -> None:
    how = "stop = collapse(parameter_free = 0.01, earliest = 2)"
    out = run(tmp_path, "run", how)
    (stopped,) = journal(out, "stopped")
    assert (stopped["step"], stopped["epoch"]) == (4, 2)
    assert stopped["why"].startswith("ops without weights have a share of 0.")
    before = (out / "journal.jsonl").read_text(encoding="utf-8")
    assert run(tmp_path, "run", how, resume=True) == out
    assert (out / "journal.jsonl").read_text(encoding="utf-8") == before


def test_it_goes_back_to_the_answers_before_the_eigenvalue_grew(tmp_path: Path) -> None:
    """As the rule says it of the eigenvalues of a run that goes on to its end."""
    whole = journal(run(tmp_path, "whole", "", every=1), "answers")
    figures = {line["epoch"]: line for line in whole}
    values = [line["eigenvalue"] for line in whole]
    assert len(values) == 5
    grown = max(after / before for before, after in pairwise(values))
    assert grown > 1, values
    rule = Collapse(eigenvalue=round(min(0.99, (1 + 1 / grown) / 2), 6), window=1, earliest=1)
    watch = Watch(rule)
    last = next(epoch for epoch in range(1, 6) if watch.after(epoch, figures[epoch]))
    assert watch.stopped is not None
    out = run(tmp_path, "run", f"stop = collapse(eigenvalue = {rule.eigenvalue}, window = 1, earliest = 1)")
    (stopped,) = journal(out, "stopped")
    assert (stopped["step"], stopped["epoch"], stopped["why"]) == (2 * last, last - 1, watch.stopped.why)
    assert [line["eigenvalue"] for line in journal(out, "answers")] == values[:last]
    source = from_run(out, size=(32, 64))
    assert source.step is not None
    assert source.step.step == 2 * (last - 1)
    assert f"step = {2 * (last - 1)}" in (out / "genotype.arch").read_text(encoding="utf-8")
