"""Baselines as commands: short trainings, killed and gone on with, grown, refused; the best as a genotype."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archdsl.pipeline import check, load
from archdsl.search.baselines.candidates import best_of, read_candidates
from archdsl.train.run import Record
from tests.search.baselines.small import write_text
from tests.train.commands import ENVIRONMENT, ROOT, finished

LENGTH = ["--iterations", "5", "--batch", "4", "--size", "32x64", "--device", "cpu"]
EVOLUTION = ["--by", "evolution", "--population", "3", "--tournament", "2", "--evaluations", "5"]


def command(text: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "archdsl", "baseline", str(text), "--out", str(out), *LENGTH, *more]


def killed(arguments: list[str], run: Path, *, after: int) -> None:
    """Starts a command and kills it in the training after so many candidates."""
    with subprocess.Popen(arguments, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (run / "candidates" / str(after + 1) / "journal.jsonl").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    done = finished(command(write_text(folder), folder / "run", *EVOLUTION))
    assert done.returncode == 0, done.stderr
    assert "candidate 5 of 5: mIoU" in done.stderr
    return folder / "run"


def test_the_best_candidate_is_a_genotype_of_the_space(whole: Path) -> None:
    found = read_candidates(whole)
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert all(0 < each.accuracy < 1 for each in found)
    checked = check(str(whole / "genotype.arch"))
    assert checked.diagnostics == ()
    best = best_of(found)
    (meaning,) = checked.meanings
    assert {str(path): list(answer) for path, answer in meaning.answers.items()} == best.answers
    text = (whole / "genotype.arch").read_text(encoding="utf-8")
    assert f"# Candidate {best.number}, the best of 5 by regularised evolution (population 3, tournament 2)" in text
    assert f"mIoU {100 * best.accuracy:.2f} % on `val`, trained for 5 steps" in text.replace("\n# ", " ")
    assert f"params {best.params:,}" in text
    assert load(str(whole / "genotype.arch")).closed


def test_each_candidate_is_a_run_of_its_own(whole: Path) -> None:
    """Which `eval` reads, with the score that the journal has."""
    candidate = read_candidates(whole)[1]
    run = whole / "candidates" / "2"
    assert Record.read(run).values["answers"] == candidate.answers
    arguments = ["eval", str(run), "--split", "val", "--size", "32x64", "--device", "cpu", "--format", "json"]
    done = finished([sys.executable, "-m", "archdsl", *arguments])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["miou"] == pytest.approx(candidate.accuracy, abs=1e-12)


def test_killed_it_goes_on_to_the_same_end_and_grows(whole: Path, tmp_path: Path) -> None:
    """It was begun with a smaller budget, which says nothing about what is proposed."""
    arguments, run = command(write_text(tmp_path), tmp_path / "run", *EVOLUTION), tmp_path / "run"
    begun = [*arguments[:-1], "4"]
    killed(begun, run, after=2)
    assert len(read_candidates(run)) == 2
    with (run / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"event": "candidate", "step": 3, "answ')  # as a crash leaves a line
    done = finished([*arguments, "--resume"])
    assert done.returncode == 0, done.stderr
    assert "candidate 2 of" not in done.stderr
    assert (run / "journal.jsonl").read_text() == (whole / "journal.jsonl").read_text()
    for number in "12345":
        file = Path("candidates", number, "best.safetensors")
        if (whole / file).exists():  # one that was proposed before is not trained again
            assert (run / file).read_bytes() == (whole / file).read_bytes()
    assert finished([*arguments, "--resume", "--seed", "1"]).returncode == 2


def test_what_cannot_begin_says_why(whole: Path) -> None:
    text, out = whole.parent / "tiny.arch", whole.parent / "other"
    for more, words in (
        (["--by", "random", "--where", "latency < 8ms"], "`latency < 8ms` needs a cost table: give it by `--cost`"),
        (["--by", "evolution", "--evaluations", "10"], "leave nothing to evolve"),
    ):
        done = finished(command(text, out, *more))
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
        assert not out.exists()
