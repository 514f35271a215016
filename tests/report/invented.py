"""Runs of searches with invented numbers, written as a search writes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, sin
from pathlib import Path
from random import Random
from typing import Any, TextIO

from archdsl.pipeline import Loaded, load
from archdsl.pipeline.logits import write_logits
from archdsl.search.derive import plan as derivation
from archdsl.search.derive.genotype import Request, found_by
from archdsl.search.derive.runs import from_run, from_text
from archdsl.search.sweep.folder import Failure, Progress, SweepFolder
from archdsl.search.sweep.grid import Axis
from archdsl.search.sweep.plan import Plan
from archdsl.search.sweep.results import Result
from archdsl.settings import Search
from archdsl.space import QuestionPath

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Invented:
    """A search of a packaged space, as far as it has come."""

    space: str
    search: str
    phases: Sequence[str]
    """Those that learn logits, one behind the other."""
    overrides: Mapping[str, str]
    epochs: int = 6
    per_epoch: int = 40
    guided: bool = False
    accuracy: Mapping[str, float] | None = None
    """By the ends of branches, where a search compares them."""
    finished: bool = True


GAS = Invented("gas", "gas_s", ["gas_s"], {"classes": "11"}, guided=True)
CAS = Invented("cas", "cas_gt", ["backbone", "multiscale"], {"classes": "11"})
AUTORTNET = Invented("autortnet", "autortnet_a", ["autortnet_a"], {"classes": "11", "cells": "5"})
FASTERSEG = Invented(
    "fasterseg",
    "fasterseg_s",
    ["student"],
    {"classes": "11", "layers": "4"},
    accuracy={"a = 8, b = 16": 0.58, "a = 16, b = 32": 0.61},
    finished=False,
)


def write_run(folder: Path, run: Invented, *, seed: int = 0) -> Path:
    """Journal, record, logits of every epoch, genotypes of finished phases."""
    random = Random(seed)
    folder.mkdir(parents=True)
    text = ROOT / "spaces" / f"{run.space}.arch"
    loaded = load(f"{text}:{run.space}", overrides=run.overrides)
    steps = run.epochs * run.per_epoch
    record: dict[str, Any] = {
        "format_version": 2,
        "kind": "search",
        "text": os.path.relpath(text, folder),
        "item": run.search,
        "space": run.space,
        "hash": loaded.program.hash,
        "overrides": dict(run.overrides),
        "seed": seed,
        "stages": [
            {"phase": each, "beside": [], "steps": steps, "steps_per_epoch": run.per_epoch} for each in run.phases
        ],
        "data": {
            "kind": "streets",
            "train_on": "train",
            "score_on": "val",
            "classes": ["road"],
            "colours": [[0, 0, 0]],
        },
        "size": [64, 128],
        "cost": None,
    }
    (folder / "run.json").write_text(json.dumps(record, indent=2), encoding="utf-8")
    with (folder / "journal.jsonl").open("w", encoding="utf-8") as journal:
        before: dict[QuestionPath, tuple[float, ...]] = {}
        for number, phase in enumerate(run.phases):
            sizes = _sizes(loaded, text, run, phase)
            new = {path: size for path, size in sizes.items() if path not in before}
            aims = {path: tuple(random.gauss(0, 1) for _ in range(size)) for path, size in new.items()}
            for epoch in range(run.epochs):
                begun = number * steps + epoch * run.per_epoch
                for step in range(begun + 1, begun + run.per_epoch + 1):
                    _write(journal, _step(step, phase, epoch, random))
                end = begun + run.per_epoch
                share = (epoch + 1) / run.epochs
                logits = before | {
                    path: tuple(3 * share * each + random.gauss(0, 0.3) for each in aim) for path, aim in aims.items()
                }
                _write_logits(folder / "logits" / phase / f"{end}.json", loaded, logits, run)
                entropy = {"operator": 1 - 0.6 * share + 0.05 * random.random(), "width": 1 - 0.3 * share}
                free = 0.3 + 0.1 * sin(epoch)
                answers = {"event": "answers", "step": end, "phase": phase, "epoch": epoch, "entropy": entropy}
                _write(journal, {**answers, "parameter_free": free, "eigenvalue": 0.1 + 0.05 * random.random()})
                score = {"event": "score", "step": end, "phase": phase, "epoch": epoch}
                _write(journal, {**score, "miou": 0.2 + 0.3 * share, "accuracy": 0.5 + 0.3 * share})
                if epoch == run.epochs - 1:
                    before = logits
            if run.finished:
                _derive(folder, phase)
    if run.finished:
        last = folder / "genotypes" / f"{run.phases[-1]}.arch"
        (folder / "genotype.arch").write_text(last.read_text().replace("../../", "../", 1), encoding="utf-8")
    return folder


def _sizes(loaded: Loaded, text: Path, run: Invented, phase: str) -> Mapping[QuestionPath, int]:
    """How many logits each question has that the phase learns."""
    source = from_text(f"{text}:{run.search}", text, phase=phase, overrides=run.overrides)
    assert isinstance(source.search, Search)
    plan = derivation.Plan.of(loaded.program, source.search, {}, phase=phase)
    return {path: len(each.candidates) for path, each in plan.learned.items()}


def _step(step: int, phase: str, epoch: int, random: Random) -> Mapping[str, object]:
    loss = 1.1 + 1.6 * exp(-step / 90) + 0.15 * random.gauss(0, 1)
    cost = 9 - 4 * (1 - exp(-step / 150)) + 0.05 * random.gauss(0, 1)
    values = {"lr": 0.025 * 0.99**step, "loss": loss, "objective": loss + 0.01 * cost}
    costs = {"latency(over = {trunk})": cost}
    return {"event": "step", "step": step, "phase": phase, "epoch": epoch, **values, "cost": costs}


def _write(journal: TextIO, event: Mapping[str, object]) -> None:
    journal.write(json.dumps(event) + "\n")


def _write_logits(file: Path, loaded: Loaded, logits: Mapping[QuestionPath, tuple[float, ...]], run: Invented) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    record = json.loads(write_logits(logits, loaded.program))
    if run.guided:
        record["guided"] = record["logits"]
    if run.accuracy is not None:
        record["accuracy"] = dict(run.accuracy)
    file.write_text(json.dumps(record), encoding="utf-8")


def _derive(folder: Path, phase: str) -> None:
    place = folder / "genotypes" / f"{phase}.arch"
    place.parent.mkdir(exist_ok=True)
    found = found_by(Request(from_run(folder, phase=phase)))
    place.write_text(found.text(f"found_{phase}", place.parent), encoding="utf-8")


def write_sweep(root: Path) -> Path:
    """Two points with two seeds: three have found published networks, with invented scores; one has failed."""
    plan = Plan(
        command="search",
        source="spaces/fasterseg.arch:fasterseg_s",
        directory=os.path.relpath(ROOT, root),
        axes=(Axis("w", ("8", "12")),),
        seeds=2,
        options=("--data", "streets"),
    )
    folder = SweepFolder.begin(root, plan)
    found = {
        ("8", 0): ("fasterseg_student", 0.40, 3_421_875, 27_770_486_784),
        ("8", 1): ("fasterseg_student", 0.38, 3_421_875, 27_770_486_784),
        ("12", 0): ("fasterseg_teacher", 0.55, 10_000_000, 60_000_000_000),
    }
    for member in plan.members:
        home = folder.home(member)
        home.mkdir(parents=True)
        folder.note(member, Progress(seconds=1800.0, steps={"search": 240}, finished=["search"]))
        result = found.get((dict(member.point)["w"], member.seed))
        if result is None:
            folder.fail(member, Failure("search", 1, "the loss is NaN <script>alert(1)</script>"))
            continue
        name, accuracy, params, macs = result
        text = os.path.relpath(ROOT / "spaces" / "genotypes" / f"{name}.arch", root)
        folder.finish(member, Result(Path(text).as_posix(), accuracy, params, macs, None))
        (home / "search").mkdir()
        (home / "search" / "run.json").write_text('{"format_version": 2, "kind": "search"}', encoding="utf-8")
        with (home / "search" / "journal.jsonl").open("w", encoding="utf-8") as journal:
            for epoch in range(1, 5):
                _write(journal, {"event": "score", "step": 60 * epoch, "epoch": epoch, "miou": accuracy * epoch / 4})
    return root
