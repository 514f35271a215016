"""How well tables predict networks: `python -m benchmarks.cost_accuracy`. One thread, CPU time, fp32.

Tables are filled as `archdsl cost fill` does it, networks are drawn uniformly from each space, predicted, and only then
measured as a whole, in rounds of their own. Beside the table stand multiply-adds alone and activations alone (the
elements that layers with weights write), each with a factor fitted on the networks that the table's own factor was
fitted on, and the noise: the same networks measured twice, one half of the rounds against the other.

A machine is faster or slower on the whole from one hour to the next. So the networks that factors are fitted on are
measured once more, in the rounds of those that are predicted, and each prediction is shown a second time with the
factor that these measurements give it: what a table is off by where its scale is of the same hour.

Everything lies in a folder, a picture of the predictions beside it, and the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Final

from archdsl.cli.cost_options import conditions
from archdsl.cost import figures
from archdsl.cost.estimate import estimate
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table, passes_of, read_table
from archdsl.ir import ClosedGraph
from archdsl.measure.choose import find_runtime
from archdsl.measure.fill import Filling
from archdsl.measure.rounds import Open, Step, measure
from archdsl.measure.runtime import DeviceName, Runtime, RuntimeName
from archdsl.measure.samples import Samples
from archdsl.measure.statistics import Load, factor_of, seconds_of
from archdsl.measure.subjects import Task, calibration, drawn
from archdsl.pipeline import Loaded, load
from archdsl.render import Picture, prediction_picture, render
from archdsl.render import Predicted as Point
from archdsl.weights.specification import closed_count
from benchmarks.measure import RESULTS, ROOT, machine

SPACES: Final = {"fasterseg": (512, 1024), "gas": (385, 769)}
RUNTIMES: Final = (RuntimeName.EAGER, RuntimeName.ORT)
SEED: Final = 1
"""Of the networks that are predicted; those that a factor is fitted on have another."""
CALIBRATION: Final = 5
NEAR: Final = 0.1
"""A prediction is near the truth within it, and a pair of networks is told apart beyond it."""
BOOTSTRAPS: Final = 2000


@dataclass(frozen=True, slots=True)
class Predicted:
    """Of one network."""

    table_s: float
    macs_s: float
    activations_s: float


TITLES: Final[Mapping[str, str]] = {"table_s": "table", "macs_s": "MACs alone", "activations_s": "activations alone"}


@dataclass(frozen=True, slots=True)
class Scores:
    error: float
    """The mean of |predicted / measured - 1|."""
    shape: float
    """The same once all predictions have one more factor, the median of measured by predicted: what is left of an error
    when the machine was faster or slower on the whole than while the table was filled."""
    near: float
    """The share of networks within 10 %."""
    ordered: float
    """Of pairs whose measured times differ by more than 10 %, the share that is ordered right."""
    rank: float
    """Spearman's correlation."""
    rank_low: float
    rank_high: float
    """The 95 % interval of 2,000 bootstraps over networks."""


def scores(predicted: Sequence[float], measured: Sequence[float]) -> Scores:
    errors = [abs(one / other - 1) for one, other in zip(predicted, measured, strict=True)]
    both = list(zip(predicted, measured, strict=True))
    drift = median(other / one for one, other in both)
    pairs = [
        (one[0] - other[0]) * (one[1] - other[1]) > 0
        for one, other in combinations(both, 2)
        if max(one[1], other[1]) > (1 + NEAR) * min(one[1], other[1])
    ]
    draw = Random(0)
    drawn = [[draw.choice(both) for _ in both] for _ in range(BOOTSTRAPS)]
    ranks = sorted(spearman([one for one, _ in each], [other for _, other in each]) for each in drawn)
    return Scores(
        fmean(errors),
        fmean(abs(drift * one / other - 1) for one, other in both),
        fmean(error <= NEAR for error in errors),
        fmean(pairs) if pairs else 1.0,
        spearman(predicted, measured),
        ranks[int(0.025 * BOOTSTRAPS)],
        ranks[int(0.975 * BOOTSTRAPS)],
    )


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Pearson's correlation of ranks, equal numbers having the mean of theirs; 0 where all are equal."""
    x, y = _ranks(one), _ranks(other)
    middle = (len(x) - 1) / 2
    spread_x, spread_y = (sum((each - middle) ** 2 for each in ranks) for ranks in (x, y))
    if not spread_x or not spread_y:
        return 0.0
    return sum((a - middle) * (b - middle) for a, b in zip(x, y, strict=True)) / (spread_x * spread_y) ** 0.5


def _ranks(numbers: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = {}
    for place, number in enumerate(sorted(numbers)):
        places.setdefault(number, []).append(place)
    return [fmean(places[number]) for number in numbers]


def activations(graph: ClosedGraph) -> int:
    """Elements that layers with multiply-adds write."""
    shapes = [(node.shape, node.path) for node in figures(graph).nodes if node.macs]
    return sum(closed_count(shape.channels, path) * shape.height * shape.width for shape, path in shapes)


def filled(
    path: Path, loaded: Loaded, runtime: Runtime, rounds: int | None
) -> tuple[Table, Mapping[ClosedGraph, float]]:
    """The table of all rows of a space, measured as far as it was not yet; the networks of its scale, in seconds."""
    tasks = calibration(loaded, CALIBRATION, passes_of(runtime.conditions))
    begun = time.monotonic()
    with Filling.at(path, runtime, rows_of_space(loaded.program), tasks, rounds) as filling:
        waiting = len(filling.waiting)
        filling.run(told=lambda step: _show(path.stem, step))
        if waiting:
            print(f"{path.name}: {waiting} subjects in {time.monotonic() - begun:.0f} s; {filling.load()}")
        statistic, taken = runtime.conditions.statistic, filling.samples.taken
        seconds = {task.graph(): seconds_of(taken[task.subject], statistic) for task in tasks}
    return read_table(path), seconds


def predictions(
    path: Path, table: Table, known: Mapping[ClosedGraph, float], networks: Sequence[ClosedGraph]
) -> list[Predicted]:
    """Kept in a file, so that what is predicted does not change once it is measured."""
    found = [Predicted(**each) for each in json.loads(path.read_text())] if path.exists() else []
    per_mac = factor_of([figures(graph).macs / seconds for graph, seconds in known.items()])
    per_element = factor_of([activations(graph) / seconds for graph, seconds in known.items()])
    found += [
        Predicted(estimate(graph, table).seconds, per_mac * figures(graph).macs, per_element * activations(graph))
        for graph in networks[len(found) :]
    ]
    path.write_text(json.dumps([asdict(each) for each in found], indent=1))
    return found[: len(networks)]


def measured(path: Path, networks: Sequence[ClosedGraph], runtime: Runtime, rounds: int) -> Mapping[str, list[float]]:
    """By network `all` its time, and the times of the `first` and the `second` half of the rounds."""
    tasks = [Task.of_network(graph, passes_of(runtime.conditions)) for graph in networks]
    samples = Samples.open(path, runtime.conditions)
    try:
        measure(tasks, 2 * rounds, Open(runtime, samples), told=lambda step: _show(path.stem, step))
        print(f"{path.name}: {Load.of(samples.taken.values())}")
        taken = [samples.taken[task.subject][: 2 * rounds] for task in tasks]
    finally:
        samples.close()
    statistic = runtime.conditions.statistic
    return {
        "all": [seconds_of(each, statistic) for each in taken],
        "first": [seconds_of(each[:rounds], statistic) for each in taken],
        "second": [seconds_of(each[rounds:], statistic) for each in taken],
    }


def _show(name: str, step: Step) -> None:
    if step.round_ended:
        print(f"{name}: {step.done} of {step.total}", flush=True)


def report(name: str, predicted: Sequence[Predicted], found: Mapping[str, Sequence[float]], scaling: int) -> None:
    """The last `scaling` networks are those that factors are fitted on."""
    shown, again = slice(0, len(predicted) - scaling), slice(len(predicted) - scaling, None)
    lines = dict[str, Scores]()
    for field, title in TITLES.items():
        every: list[float] = [getattr(each, field) for each in predicted]
        lines[title] = scores(every[shown], found["all"][shown])
        factor = factor_of([one / other for one, other in zip(every[again], found["all"][again], strict=True)])
        lines[f"{title}, scale of these rounds"] = scores([factor * each for each in every[shown]], found["all"][shown])
    lines["measured twice"] = scores(found["first"][shown], found["second"][shown])
    low, high = 1000 * min(found["all"][shown]), 1000 * max(found["all"][shown])
    print(f"\n{name}: {len(predicted) - scaling} networks, {low:.1f} to {high:.1f} ms\n")
    print("| | mean error | after one factor | within 10 % | pairs in order | Spearman |\n|---|---|---|---|---|---|")
    for title, each in lines.items():
        print(
            f"| {title} | {100 * each.error:.1f} % | {100 * each.shape:.1f} % | {100 * each.near:.0f} % "
            f"| {100 * each.ordered:.1f} % | {each.rank:.3f} ({each.rank_low:.3f} to {each.rank_high:.3f}) |"
        )


def picture(
    name: str, table: Table, networks: Sequence[ClosedGraph], predicted: Sequence[Predicted], measured: Sequence[float]
) -> Picture:
    """What the table predicted against what was measured, and the ops that the time is for."""
    unit, ops = table.unit, dict[str, float]()
    for graph in networks:
        for share in estimate(graph, table).ops():
            ops[share.name] = ops.get(share.name, 0.0) + share.seconds / unit.seconds
    points = [
        Point(graph.name, seconds / unit.seconds, each.table_s / unit.seconds)
        for graph, each, seconds in zip(networks, predicted, measured, strict=True)
    ]
    return prediction_picture(name, conditions(table).split("; "), str(unit), points, ops)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--space", choices=list(SPACES), action="append", help="all without it")
    parser.add_argument("--runtime", choices=[str(each) for each in RUNTIMES], action="append", help="both without it")
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument("--rounds", type=int, help="instead of those of the runtime's statistic")
    parser.add_argument("--divide", type=int, default=1, help="the image's height and width by it, to try it out")
    parser.add_argument("--results", type=Path, default=RESULTS / "cost_accuracy")
    given = parser.parse_args()
    given.results.mkdir(parents=True, exist_ok=True)
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    for space in given.space or SPACES:
        height, width = (-(-length // given.divide) for length in SPACES[space])
        loaded = load(str(ROOT / "spaces" / f"{space}.arch"), size=(height, width))
        networks = drawn(loaded, given.networks, SEED)
        for each in given.runtime or RUNTIMES:
            name = f"{space}-{each}-{height}x{width}"
            runtime = find_runtime(RuntimeName(each), DeviceName.CPU)
            table, known = filled(given.results / f"{name}.json", loaded, runtime, given.rounds)
            both = [*networks, *known]
            predicted = predictions(given.results / f"{name}.predicted.json", table, known, both)
            rounds = given.rounds or runtime.conditions.rounds
            found = measured(given.results / f"{name}.networks.samples.jsonl", both, runtime, rounds)
            report(name, predicted, found, len(known))
            drawn_as = picture(name, table, networks, predicted[: len(networks)], found["all"][: len(networks)])
            (given.results / f"{name}.svg").write_bytes(render(drawn_as, "svg"))


if __name__ == "__main__":
    main()
