"""Searches as commands: what they leave, what resumes, what two processes agree on, what is refused."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.data import Data, open_data
from archdsl.diagnostics import Severity
from archdsl.pipeline import load
from archdsl.search.derive.genotype import Request, found_by
from archdsl.search.derive.runs import from_run
from archdsl.search.run import SearchRequest, prepare, search
from archdsl.train.distributed import fabric_of
from archdsl.train.errors import Diverged, Refused
from archdsl.train.prepare import match_weights
from archdsl.train.typed_torch import load_file
from tests.search.run.texts import ONE, PHASES, SECOND, SPACE, TWO, WIDE, command, searched, write
from tests.train.commands import ENVIRONMENT, ROOT, finished


def journal(run: Path, event: str) -> list[dict[str, Any]]:
    lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def ran(text: Path, out: Path, *more: str) -> Path:
    """The folder of a search by a command."""
    done = finished(command(text, out, *more))
    assert done.returncode == 0, done.stderr
    return out


@cache
def streets() -> Data:
    return open_data("streets", size=(32, 64), seed=0)


def here(text: Path, out: Path) -> Path:
    """The folder of a search in this process."""
    data = streets()
    outcome = search(prepare(SearchRequest(str(text), out), data).setup, fabric_of("cpu", "fp32"))
    assert outcome.finished
    return out


@pytest.mark.parametrize(
    "text", [searched(ONE), searched(TWO), searched(SECOND), WIDE], ids=["one level", "two", "second order", "widths"]
)
def test_a_search_leaves_a_genotype_that_checks_and_derives_again(tmp_path: Path, text: str) -> None:
    run = here(write(tmp_path, text), tmp_path / "run")
    checked = archdsl.check(str(run / "genotype.arch"))
    assert not [each for each in checked if each.severity is Severity.ERROR]
    again = found_by(Request(from_run(run, size=(32, 64))))
    assert again.text("net_found", run) == (run / "genotype.arch").read_text(encoding="utf-8")
    assert [line["step"] for line in journal(run, "step")] == [1, 2, 3, 4]
    (score,) = journal(run, "score")
    assert 0 <= score["miou"] <= score["accuracy"] <= 1
    assert all(0 <= each <= 1 for line in journal(run, "answers") for each in line["entropy"].values())


def test_phases_follow_one_another_and_step_in_turn(tmp_path: Path) -> None:
    run = here(write(tmp_path, searched(PHASES)), tmp_path / "run")
    phases = [(line["step"], line["phase"]) for line in journal(run, "step")]
    turns = [(step, phase) for step in (3, 4, 5) for phase in ("finding", "beside")]
    assert phases == [(1, "warming"), (2, "warming"), *turns]
    assert [line["phase"] for line in journal(run, "derived")] == ["finding", "beside"]
    beside = (run / "genotypes" / "beside.arch").read_text(encoding="utf-8")
    assert "max_pool3x3" not in beside
    assert sorted(each.name for each in (run / "logits").iterdir()) == ["beside", "finding"]


def test_the_network_that_was_found_begins_with_the_weights_of_the_supernet(tmp_path: Path) -> None:
    run = here(write(tmp_path, WIDE), tmp_path / "run")
    found = match_weights(run, load(str(run / "genotype.arch"), size=(32, 64)).network())
    assert not found.mismatched
    assert not found.new
    supernet = load_file(run / "supernet.safetensors")
    first = next(name for name in found.tensors if name.endswith("conv.weight"))
    written, read = found.tensors[first].shape[:2]
    assert torch.equal(found.tensors[first], supernet[first][:written, :read])


def test_an_objective_with_a_cost_says_what_is_expected(tmp_path: Path) -> None:
    run = here(write(tmp_path, searched(ONE)), tmp_path / "run")
    for line in journal(run, "step"):
        assert line["cost"]["macs"] > 0
        assert line["objective"] > line["loss"]


# Resumption -------------------------------------------------------------------------------------


def killed(arguments: list[str], run: Path, lines: int, delay: float) -> None:
    """Kills a command some time after its journal has so many lines, wherever it is then."""
    with subprocess.Popen(arguments, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        file = run / "journal.jsonl"
        while process.poll() is None:
            if file.exists() and len(file.read_bytes().splitlines()) >= lines:
                time.sleep(delay)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        process.wait(timeout=120)


def same(one: Path, other: Path) -> None:
    """Weights, logits and journal, to the bit."""
    assert (one / "supernet.safetensors").read_bytes() == (other / "supernet.safetensors").read_bytes()
    files = sorted(each.relative_to(one) for each in (one / "logits").rglob("*.json"))
    assert files == sorted(each.relative_to(other) for each in (other / "logits").rglob("*.json"))
    assert all((one / each).read_bytes() == (other / each).read_bytes() for each in files)
    assert (one / "journal.jsonl").read_bytes() == (other / "journal.jsonl").read_bytes()


def test_killed_in_the_middle_it_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    text, more = write(tmp_path, searched(PHASES)), ["--save-every", "1"]
    whole = ran(text, tmp_path / "whole", *more)
    arguments, run = command(text, tmp_path / "run", *more), tmp_path / "run"
    killed(arguments, run, 5, 0.0)
    assert not (run / "supernet.safetensors").exists()
    done = finished([*arguments, "--resume"])
    assert done.returncode == 0, done.stderr
    same(whole, run)


def test_a_finished_search_writes_a_genotype_again_that_was_cut(tmp_path: Path) -> None:
    text, run = write(tmp_path, searched(ONE)), tmp_path / "run"
    ran(text, run)
    genotype = run / "genotype.arch"
    whole = genotype.read_bytes()
    genotype.write_bytes(whole[: len(whole) // 2])
    ran(text, run, "--resume")
    assert genotype.read_bytes() == whole


def test_a_search_moves_with_its_table(tmp_path: Path) -> None:
    """What its record names lies where it lay, as seen from the run."""
    project = tmp_path / "project"
    project.mkdir()
    text = write(
        project,
        searched("levels = one\n  objective = loss + 0.1 * latency\n  iterations = 1")
        + '\ncost latency = table("device.json")\n',
    )
    fill = [
        sys.executable,
        "-m",
        "archdsl",
        "cost",
        "fill",
        f"{text}:net",
        "--runtime",
        "eager",
        "--input",
        "1x3x32x64",
    ]
    done = finished([*fill, "-o", str(project / "device.json")])
    assert done.returncode == 0, done.stderr
    ran(text, project / "run")
    moved = tmp_path / "moved"
    project.rename(moved)
    record = json.loads((moved / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["cost"] == "../device.json"
    ran(moved / "net.arch", moved / "run", "--resume")


@pytest.mark.slow
@pytest.mark.parametrize("text", [searched(PHASES), WIDE.replace("iterations = 4", "iterations = 12")])
def test_killed_at_twenty_random_points_it_is_resumed_bit_for_bit(tmp_path: Path, text: str) -> None:
    file, more = write(tmp_path, text), ["--save-every", "2"]
    whole = ran(file, tmp_path / "whole", *more)
    lines = len((whole / "journal.jsonl").read_bytes().splitlines())
    drawn = random.Random(0)
    for number in range(10):
        run = tmp_path / f"run{number}"
        arguments = command(file, run, *more)
        killed(arguments, run, drawn.randrange(lines), drawn.uniform(0, 0.5))
        if not (run / "run.json").exists():
            assert finished(arguments).returncode == 0
        elif not (run / "supernet.safetensors").exists():
            done = finished([*arguments, "--resume"])
            assert done.returncode == 0, done.stderr
        same(whole, run)


def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    text, more = write(tmp_path, WIDE), ["--iterations", "2"]
    alone = ran(text, tmp_path / "alone", *more)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "archdsl"]
    arguments = command(text, tmp_path / "both", *more)
    done = finished([sys.executable, *torchrun, *arguments[3:]])
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (load_file(tmp_path / each / "supernet.safetensors") for each in ("alone", "both"))
    for name, expected in one.items():
        assert torch.allclose(two[name], expected, rtol=1e-4, atol=1e-5), name
    for mine, theirs in zip(journal(alone, "step"), journal(tmp_path / "both", "step"), strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


# What is refused --------------------------------------------------------------------------------


def refused(request: SearchRequest, *words: str) -> None:
    with pytest.raises(Refused) as found:
        prepare(request, streets())
    assert all(each in str(found.value) for each in words), found.value


def test_what_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    refused(SearchRequest(str(write(tmp_path, SPACE)), run), "nothing says how `net` is searched")
    refused(SearchRequest(str(write(tmp_path, searched(ONE))), run, batch=100_000), "do not fill one batch")
    assert not run.exists()


def test_a_run_lies_where_its_genotypes_can_use_the_space(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    text = write(tmp_path / "project", searched(ONE))
    refused(SearchRequest(str(text), tmp_path / "run"), "outside of their project")


def test_a_table_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    costed = searched("levels = one\n  objective = loss + 0.1 * latency\n  iterations = 1")
    text = write(tmp_path, costed + '\ncost latency = table("none.json")\n')
    refused(SearchRequest(str(text), tmp_path / "run"), "none.json", "archdsl cost fill")


def test_a_search_that_diverges_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    text = write(tmp_path, searched(ONE).replace("lr = cosine(from = 0.1, to = 0.01)", "lr = 1e18"))
    data = streets()
    setup = replace(prepare(SearchRequest(str(text), tmp_path / "run"), data).setup, save_every_steps=1)
    with pytest.raises(Diverged, match=r"diverged.*checkpoint"):
        search(setup, fabric_of("cpu", "fp32"))
