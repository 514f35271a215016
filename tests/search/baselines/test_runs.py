"""Baselines as commands: short trainings, killed and gone on with, grown, refused; the best as a genotype."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archdsl.cli.main import run
from archdsl.pipeline import check
from archdsl.search.baselines.candidates import best_of, read_candidates
from archdsl.train.run import Record
from tests.data.folders import segnet
from tests.search.baselines.small import write_text
from tests.train.commands import ENVIRONMENT, ROOT

EVOLUTION = ["--by", "evolution", "--population", "3", "--tournament", "2", "--evaluations", "5"]


def command(text: Path, out: Path, *more: str, data: str = "streets", batch: int = 4) -> list[str]:
    of = ["--data", data, "--size", "32x64", "--device", "cpu", "--iterations", "5", "--batch", str(batch)]
    return ["baseline", str(text), "--out", str(out), *of, *more]


def killed(arguments: list[str], folder: Path, *, after: int) -> None:
    """Starts a command and kills it in the training after so many candidates."""
    whole = [sys.executable, "-m", "archdsl", *arguments]
    with subprocess.Popen(whole, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (folder / "candidates" / str(after + 1) / "run.json").exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def on_streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streets")
    assert run(command(write_text(folder), folder / "run", "--by", "random", "--evaluations", "2")) == 0
    return folder / "run"


def test_the_best_candidate_is_a_genotype_of_the_space(on_streets: Path) -> None:
    found = read_candidates(on_streets)
    assert [each.number for each in found] == [1, 2]
    assert all(0 < each.accuracy < 1 for each in found)
    best = best_of(found)
    checked = check(str(on_streets / "genotype.arch"))
    assert checked.diagnostics == ()
    (meaning,) = checked.meanings
    assert {str(path): list(answer) for path, answer in meaning.answers.items()} == best.answers
    text = (on_streets / "genotype.arch").read_text(encoding="utf-8").replace("\n# ", " ")
    assert f"Candidate {best.number}, the best of 2 by random search, seed 0" in text
    assert f"mIoU {100 * best.accuracy:.2f} % on `val`, trained for 5 steps. Predicted: params {best.params:,}" in text


def test_each_candidate_is_a_run_of_its_own(on_streets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which `eval` reads, with the score that the journal has."""
    candidate = read_candidates(on_streets)[1]
    folder = on_streets / "candidates" / "2"
    assert Record.read(folder).values["answers"] == candidate.answers
    capsys.readouterr()
    assert run(["eval", str(folder), "--split", "val", "--size", "32x64", "--device", "cpu", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["miou"] == pytest.approx(candidate.accuracy, abs=1e-12)


def test_derive_writes_the_best_within_bounds_and_of_the_first(
    on_streets: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one, other = read_candidates(on_streets)
    worse = min(one, other, key=lambda each: each.accuracy)
    capsys.readouterr()
    assert run(["derive", str(on_streets), "--name", "tiny_found", "-o", str(on_streets / "again.arch")]) == 0
    assert (on_streets / "again.arch").read_text() == (on_streets / "genotype.arch").read_text()
    less, more = sorted((one, other), key=lambda each: each.params)
    bound = f"params {'<=' if worse is less else '>='} {worse.params}"
    assert less.params < more.params
    assert run(["derive", str(on_streets), "--where", bound, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["answers"], found["run"]["step"]) == (worse.answers, worse.number)
    assert run(["derive", str(on_streets), "--step", "1"]) == 0
    assert "# Candidate 1, the best of 1 by random search" in capsys.readouterr().out
    assert run(["derive", str(on_streets), "--where", "params < 1"]) == 2
    assert "none of the 2 candidates" in capsys.readouterr().err
    assert run(["derive", str(on_streets), "--phase", "x"]) == 2


def test_killed_it_goes_on_to_the_same_end_and_grows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was begun with a smaller budget, which says nothing about what is proposed."""
    data, text = f"camvid:{segnet(tmp_path / 'camvid')}", write_text(tmp_path)
    whole, other = tmp_path / "whole", tmp_path / "other"
    assert run(command(text, whole, *EVOLUTION, data=data, batch=2)) == 0
    assert "candidate 5 of 5: mIoU" in capsys.readouterr().err
    killed(command(text, other, *EVOLUTION[:-1], "4", data=data, batch=2), other, after=2)
    assert len(read_candidates(other)) == 2
    with (other / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"event": "candidate", "step": 3, "answ')  # as a crash leaves a line
    resumed = command(text, other, *EVOLUTION, "--resume", data=data, batch=2)
    assert run(resumed) == 0
    told = capsys.readouterr().err
    assert "candidate 2 of 5" not in told
    assert "candidate 3 of 5" in told
    for name in ("journal.jsonl", "genotype.arch", "run.json"):
        assert (other / name).read_text().replace("/other", "/whole") == (whole / name).read_text()
    weights = sorted(file.relative_to(whole) for file in whole.glob("candidates/*/last.safetensors"))
    assert len(weights) == len({json.dumps(each.answers) for each in read_candidates(whole)})
    for file in weights:
        assert (other / file).read_bytes() == (whole / file).read_bytes()
    assert run([*resumed, "--seed", "1"]) == 2
    assert "`seed` was 0 and is 1" in capsys.readouterr().err
    assert run([*resumed, "--evaluations", "4"]) == 2
    assert "has 5 candidates already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--by", "random", "--where", "latency < 8ms"], "`latency < 8ms` needs a cost table: give it by `--cost`"),
        (["--by", "random", "--where", "macs > 1G"], "no genotype meets `macs > 1G`"),
        (["--by", "evolution", "--evaluations", "10"], "leave nothing to evolve"),
        (["--by", "local", "--score-on", "night"], "no split `night`"),
    ],
)
def test_what_cannot_begin_says_why(
    more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = f"camvid:{segnet(tmp_path / 'camvid')}"
    assert run(command(write_text(tmp_path), tmp_path / "run", *more, data=data, batch=2)) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
