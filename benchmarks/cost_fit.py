"""Cost tables from few networks, on public measurements: `python -m benchmarks.cost_fit CSV`.

CSV has the latency (ms) of all 15,625 cells of NAS-Bench-201 on devices, a column each, with the cell as a string of
that benchmark in the first column. Tables are fitted to random cells and rank all others. Beside them stands what op
counts with a ridge do, whose strength is the best of three.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.fit import CANDIDATES, fit, rank_correlation
from archdsl.cost.graph_passes import GraphPasses
from archdsl.cost.row_counts import RowCounts
from archdsl.pipeline import load
from archdsl.space import Program
from archdsl.space.trace import Answers
from benchmarks.measure import ROOT

Array = NDArray[np.float64]
Predict = Callable[[NDArray[np.intp], Array], Array]
"""Of all cells, from those that were measured and what they take."""

SPACE: Final = ROOT / "spaces/nasbench201.arch"
OPS: Final[Mapping[str, str]] = {
    "none": "none",
    "skip_connect": "skip_connect",
    "nor_conv_1x1": "nor_conv(k = 1)",
    "nor_conv_3x3": "nor_conv(k = 3)",
    "avg_pool_3x3": "avg_pool_3x3",
}
RIDGES: Final = (0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Measured:
    """All cells of the benchmark."""

    devices: tuple[str, ...]
    answers: tuple[Answers, ...]
    networks: Mapping[GraphPasses, RowCounts]
    seconds: Array
    """Cells x devices."""


def read(file: Path) -> Measured:
    """The cells of a file, and the rows of their networks."""
    with file.open(newline="") as stream:
        (_, *devices), *lines = csv.reader(stream)
    program = load(str(SPACE)).program
    answers = tuple(answers_of(program, line[0]) for line in lines)
    networks = {passes: RowCounts.of_answers(program, answers, passes) for passes in CANDIDATES}
    seconds = np.array([[float(number) / 1e3 for number in line[1:]] for line in lines])
    return Measured(tuple(devices), answers, networks, seconds)


def answers_of(program: Program, cell: str) -> Answers:
    """`|nor_conv_3x3~0|+|none~0|skip_connect~1|+…`: the edges of each node in the order of their sources."""
    edges = re.findall(r"(\w+)~\d", cell)
    return {path: (OPS[op],) for path, op in zip(program.questions, edges, strict=True)}


def by_table(found: Measured) -> Predict:
    def predict(cells: NDArray[np.intp], seconds: Array) -> Array:
        fitted = fit({passes: each.only(cells) for passes, each in found.networks.items()}, seconds)
        return fitted.predict(found.networks[fitted.passes])

    return predict


def by_op_counts(found: Measured, ridge: float) -> Predict:
    counts = np.array(
        [[list(answers.values()).count((op,)) for op in OPS.values()] for answers in found.answers], dtype=np.float64
    )

    def predict(cells: NDArray[np.intp], seconds: Array) -> Array:
        means: Array = counts[cells].mean(axis=0)
        centred: Array = counts[cells] - means
        gram: Array = centred.T @ centred + ridge * np.eye(len(OPS))
        moments = centred.T @ (seconds - float(seconds.mean()))
        weights = np.asarray(np.linalg.solve(gram, moments), dtype=np.float64)
        return (counts - means) @ weights

    return predict


def correlations(found: Measured, predict: Predict, *, samples: int, draws: int, seed: int = 0) -> Array:
    """Spearman's with the cells that were not measured: draws x devices."""
    every = np.arange(len(found.seconds))
    rows: list[list[float]] = []
    for draw in range(draws):
        cells = np.random.default_rng([seed, draw]).choice(every, samples, replace=False)
        others = np.delete(every, cells)
        rows.append(
            [rank_correlation(predict(cells, times[cells])[others], times[others]) for times in found.seconds.T]
        )
    return np.array(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    found = read(given.csv)
    methods = {"cost fit": by_table(found)} | {
        f"op counts, ridge {each:g}": by_op_counts(found, each) for each in RIDGES
    }
    for samples in (10, 30):
        print(f"\n{samples} samples, {given.draws} draws, seed {given.seed}: Spearman with the other cells")
        print(f"{'':24}{'mean':>8}" + "".join(f"{device:>15}" for device in found.devices))
        for name, predict in methods.items():
            each = correlations(found, predict, samples=samples, draws=given.draws, seed=given.seed)
            print(f"{name:24}{each.mean():8.4f}" + "".join(f"{number:15.4f}" for number in each.mean(axis=0)))
            if name == "cost fit":
                print(
                    f"{'  the worst draw':24}{each.mean(axis=1).min():8.4f}"
                    + "".join(f"{number:15.4f}" for number in each.min(axis=0))
                )


if __name__ == "__main__":
    main()
