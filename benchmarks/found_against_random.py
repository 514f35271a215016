"""Networks that searches found against random ones of equal cost: `python -m benchmarks.found_against_random gas`.

For each seed a search as the text says (with the parameters and the length below), and a training of what it found; and
as many trainings of networks drawn uniformly among those whose predicted latency is within 10 % of the found ones'
mean. Beside them what the papers compare with, in `variants`: other searches of the same space, of the same length.
All trainings are alike: the recipe of the space, so many iterations, the best mIoU on `val` (no other split is read).
Tables are filled here, at the size of the images. Everything lies in a folder, and the same command goes on where it
was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from benchmarks.measure import RESULTS, ROOT, machine

SIZE: Final = (64, 128)
BAND: Final = 0.1
"""How far the predicted latency of a random network may be off the found ones' mean."""


@dataclass(frozen=True, slots=True)
class System:
    search: str
    """As commands take it: FILE:SEARCH."""
    overrides: tuple[str, ...]
    search_iterations: int
    """Of each phase."""
    train_iterations: int = 200
    batch: int = 4
    variants: tuple[str, ...] = ()
    """Searches of the same space that say one thing otherwise, as FILE:SEARCH."""

    @property
    def space(self) -> Path:
        return ROOT / self.search.partition(":")[0]

    @property
    def sets(self) -> list[str]:
        return [part for each in self.overrides for part in ("--set", each)]


VARIANTS: Final = "benchmarks/variants"
SYSTEMS: Final = {
    "gas": System(
        "spaces/gas.arch:gas_s",
        (),
        300,
        variants=(f"{VARIANTS}/gas.arch:gas_unguided", f"{VARIANTS}/gas.arch:gas_fully_connected"),
    ),
    "cas": System("spaces/cas.arch:cas_gt", ("f=4",), 20),
    "autortnet": System(
        "spaces/autortnet.arch:autortnet_a",
        ("f=8", "cells=3"),
        120,
        variants=(f"{VARIANTS}/autortnet.arch:autortnet_fixed",),
    ),
    "fasterseg": System(
        "spaces/fasterseg.arch:fasterseg_s",
        ("layers=4", "w=2"),
        60,
        batch=2,
        variants=(f"{VARIANTS}/fasterseg.arch:fasterseg_plain",),
    ),
}


def archdsl(*arguments: str) -> str:
    command = [sys.executable, "-m", "archdsl", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=os.environ)
    if done.returncode:
        raise SystemExit(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr}")
    return done.stdout


def table(name: str, system: System, folder: Path, classes: int) -> Path:
    """Filled once for the space at the size of the images."""
    file = folder / f"{name}.json"
    if not file.exists():
        spaces = (
            [f"{system.space}:cas", f"{system.space}:cas_backbone"] if "cas.arch" in system.search else [system.space]
        )
        image = f"1x3x{SIZE[0]}x{SIZE[1]}"
        more = ["--runtime", "ort", "--input", image, "--set", f"classes={classes}", *system.sets, "-o", str(file)]
        archdsl("cost", "fill", *map(str, spaces), *more)
    return file


def data() -> list[str]:
    return ["--data", "streets", "--size", f"{SIZE[0]}x{SIZE[1]}", "--device", "cpu"]


def resumed(run: Path) -> list[str]:
    return ["--resume"] if (run / "run.json").exists() else []


@dataclass(frozen=True, slots=True)
class Trained:
    miou: float
    latency_ms: float
    parameter_free: float | None = None
    """By the search's probabilities at its end, the share of ops without weights: by it a collapse is seen."""


def found(search: str, system: System, folder: Path, costs: Path, seed: int) -> Trained:
    """What a search with a seed found, trained; in a folder of its own."""
    run = folder / f"search_{seed}"
    if not (run / "supernet.safetensors").exists():
        length = ["--iterations", str(system.search_iterations), "--batch", str(system.batch)]
        more = ["--score-every", "1000", "--cost", str(costs), "--seed", str(seed), *resumed(run)]
        archdsl("search", str(ROOT / search), *data(), "--out", str(run), *length, *more, *system.sets)
    phase = last_phase(run)
    lines = [line for line in journal(run) if line.get("phase") == phase]
    (latency,) = (line["latency_ms"] for line in lines if line["event"] == "derived")
    *_, free = (line["parameter_free"] for line in lines if line["event"] == "answers")
    return Trained(trained(run / "genotype.arch", folder / f"train_{seed}", system, seed), latency, free)


def last_phase(run: Path) -> str:
    stages = json.loads((run / "run.json").read_text(encoding="utf-8"))["stages"]
    return str(stages[-1]["phase"])


def trained(genotype: Path, run: Path, system: System, seed: int) -> float:
    if not (run / "last.safetensors").exists():
        length = ["--iterations", str(system.train_iterations), "--batch", str(system.batch), "--seed", str(seed)]
        archdsl("train", str(genotype), *data(), "--out", str(run), *length, *resumed(run))
    return max(line["miou"] for line in journal(run) if line["event"] == "score")


def random(system: System, folder: Path, costs: Path, latency_ms: float, count: int, classes: int) -> list[Trained]:
    """Networks drawn uniformly within the band, trained."""
    run = folder / "random"
    low, high = (latency_ms * (1 + sign * BAND) for sign in (-1, 1))
    where = [part for each in (f"latency > {low:.4f}ms", f"latency < {high:.4f}ms") for part in ("--where", each)]
    budget = ["--evaluations", str(count), "--iterations", str(system.train_iterations), "--batch", str(system.batch)]
    image = ["--input", f"1x3x{SIZE[0]}x{SIZE[1]}", "--set", f"classes={classes}", *system.sets]
    archdsl(
        "baseline", str(system.space), "--by", "random", *data(), "--out", str(run), "--cost", str(costs), *where,
        *budget, *image, *resumed(run),
    )  # fmt: skip
    lines = [line for line in journal(run) if line["event"] == "candidate"]
    return [Trained(line["accuracy"], line["latency_ms"]) for line in lines]


def journal(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def spread(numbers: Sequence[float], unit: str = "", scale: float = 1.0) -> str:
    off = f" +- {scale * stdev(numbers):.2f}" if len(numbers) > 1 else ""
    return f"{scale * fmean(numbers):.2f}{off}{unit}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--random", type=int, default=10)
    parser.add_argument("--results", type=Path, default=RESULTS / "found_against_random")
    asked = parser.parse_args()
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(
        "| | mIoU, % | predicted latency, ms | ops without weights, % | networks |\n|---|---|---|---|---|", flush=True
    )
    for name in asked.systems:
        system, folder = SYSTEMS[name], asked.results.resolve() / name
        folder.mkdir(parents=True, exist_ok=True)
        classes = 11
        costs = table(name, system, folder, classes)
        for search in (system.search, *system.variants):
            title = search.partition(":")[2]
            networks = [found(search, system, folder / title, costs, seed) for seed in range(asked.seeds)]
            show(f"{title}, found", networks)
            if search == system.search:
                mean = fmean(each.latency_ms for each in networks)
                show(f"{name}, random", random(system, folder, costs, mean, asked.random, classes))


def show(what: str, networks: Sequence[Trained]) -> None:
    miou, latency = [each.miou for each in networks], [each.latency_ms for each in networks]
    free = [each.parameter_free for each in networks if each.parameter_free is not None]
    print(
        f"| {what} | {spread(miou, scale=100)} | {spread(latency)} | {spread(free, scale=100) if free else ''} "
        f"| {len(networks)} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
