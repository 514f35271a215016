"""Latency weights of 0, low and high give networks of falling latency: `python -m benchmarks.latency_weights`.

A sweep of GAS over the weight of the latency in its objective, on drawn streets; what was found is compiled to ONNX and
timed on one thread (CPU time). Predicted and measured latency stand side by side, and the command fails where a larger
weight does not give a smaller mean of either. Everything lies in a folder, and the same command goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.found_against_random import SIZE, SYSTEMS, archdsl, data, spread, table
from benchmarks.measure import RESULTS, machine

GAS: Final = SYSTEMS["gas"]
WEIGHTS: Final = ("0", "0.1", "1")
CLASSES: Final = 11
RUNS: Final = "100"


def swept(folder: Path, costs: Path, seeds: int, iterations: int, workers: int) -> list[dict[str, Any]]:
    """The members of the sweep, with its picture beside them."""
    search = ["--iterations", str(iterations), "--batch", str(GAS.batch), "--cost", str(costs), *data(), *GAS.sets]
    told = archdsl(
        "sweep", GAS.search, "--over", f"lambda={','.join(WEIGHTS)}", "--seeds", str(seeds), "--cost", str(costs),
        "--workers", str(workers), "--retry", "--out", str(folder / "sweep"), "-o", str(folder / "front.svg"),
        "--format", "json", "--", *search,
    )  # fmt: skip
    members: list[dict[str, Any]] = json.loads(told)["members"]
    return members


def measured_ms(genotype: str, folder: Path) -> float:
    """The median CPU time of a network in ONNX Runtime."""
    file = folder / "net.onnx"
    image = f"1x3x{SIZE[0]}x{SIZE[1]}"
    archdsl("compile", genotype, "--target", "onnx", "--set", f"classes={CLASSES}", "--input", image, "-o", str(file))
    (found,) = json.loads(archdsl("bench", str(file), "--runs", RUNS, "--threads", "1", "--format", "json"))["files"]
    return float(found["cpu_ms"]["median"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS / "latency_weights")
    asked = parser.parse_args()
    folder = asked.results.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    costs = table("gas", GAS, folder, CLASSES)
    members = swept(folder, costs, asked.seeds, asked.iterations, asked.workers)
    print("| lambda | predicted latency, ms | measured, ms | mIoU with the supernet's weights, % |\n|---|---|---|---|")
    means: list[tuple[float, float]] = []
    for weight in WEIGHTS:
        found = [each for each in members if each["point"]["lambda"] == weight]
        predicted = [each["latency_ms"] for each in found]
        measured = [measured_ms(str(folder / "sweep" / each["genotype"]), folder) for each in found]
        means.append((fmean(predicted), fmean(measured)))
        accuracy = spread([each["accuracy"] for each in found], scale=100)
        print(f"| {weight} | {spread(predicted)} | {spread(measured)} | {accuracy} |", flush=True)
    if any(after >= before for pair in pairwise(means) for before, after in zip(*pair, strict=True)):
        raise SystemExit("a larger weight did not give a smaller latency")


if __name__ == "__main__":
    main()
