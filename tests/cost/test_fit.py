"""Tables fitted to measured networks: what is additive is found, and few cells of NAS-Bench-201 rank all others."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from archdsl.cost.estimate import estimate
from archdsl.cost.expectation.measures import seconds
from archdsl.cost.expectation.work import Work
from archdsl.cost.extremes import Extreme, extremum
from archdsl.cost.fit import CANDIDATES, cross_validation, fit, rank_correlation
from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses
from archdsl.cost.nonnegative import nonnegative_least_squares
from archdsl.cost.row_counts import RowCounts
from archdsl.cost.rows import Row, rows_of, uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Fit, Table, TableUnreadable, parse_table, table_bytes
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import load
from archdsl.pipeline.cost_fit import BadMeasurements, MeasuredNetwork, fitted_table, read_measured
from archdsl.settings.costs import Unit
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from benchmarks.cost_fit import by_op_counts, by_table, correlations, read
from tests.cost.invented import measurement

ROOT = Path(__file__).parents[2]
SPACE = str(ROOT / "spaces/nasbench201.arch")
MEASURED = ROOT.parent / "shared/data/latency/nasbench201.csv"
REMOVED = CANDIDATES[1]
ALL_PASSES = [GraphPasses(*each) for each in product((False, True), repeat=2)]
TIMES = {"conv": 3.0, "nor_conv": 2.0, "avg_pool_3x3": 0.5, "none": 0.25, "add": 0.1}
"""Milliseconds of an invented device, whatever the size."""


def invented(row: Row) -> float:
    return 1e-3 * (TIMES.get(row.op, 0.05) + (0.7 if "k = 1" in row.body else 0.0))


def networks(count: int, seed: int) -> list[ClosedGraph]:
    program = load(SPACE, overrides={"cells": "1"}).program
    census, random = Census(program), Random(seed)
    return [closed(program, trace(program, census.sample(random)), f"net{each}") for each in range(count)]


def counted(graphs: list[ClosedGraph]) -> dict[GraphPasses, RowCounts]:
    return {passes: RowCounts.of(graphs, passes) for passes in CANDIDATES}


def total(graph: ClosedGraph, passes: GraphPasses) -> float:
    return sum(invented(use.row) for use in uses(graph, passes))


@pytest.mark.parametrize("passes", CANDIDATES)
def test_an_additive_truth_is_found_with_what_the_device_leaves_out(passes: GraphPasses) -> None:
    graphs = networks(24, seed=1)
    times = np.array([total(graph, passes) for graph in graphs])
    fitted = fit(counted(graphs), times)
    assert fitted.passes is passes
    others = networks(40, seed=2)
    truth = np.array([total(graph, passes) for graph in others])
    predicted = fitted.predict(counted(others)[passes])
    assert np.abs(predicted - truth).max() < 0.05 * truth.mean()
    assert rank_correlation(predicted, truth) > 0.99


def test_cross_validation_says_how_far_noise_goes() -> None:
    graphs = networks(20, seed=3)
    exact = np.array([total(graph, AS_WRITTEN) for graph in graphs])
    noise = np.random.default_rng(0).uniform(0.7, 1.3, len(graphs))
    good, bad = (cross_validation(counted(graphs), each) for each in (exact, exact * noise))
    assert good.error < 0.02 < 0.05 < bad.error
    assert good.rank_correlation > 0.98 > bad.rank_correlation


def test_a_fitted_table_has_all_rows_and_is_priced_as_it_was_fitted() -> None:
    space = load(SPACE, overrides={"cells": "1"})
    for passes in CANDIDATES:
        graphs = networks(24, seed=1)
        measured = [MeasuredNetwork(graph, total(graph, passes)) for graph in graphs]
        found = fitted_table(space, Unit.MS, measured, "networks.csv")
        assert set(found.table.times) == set(rows_of_space(space.program))
        assert found.unmeasured == () or passes is REMOVED
        assert found.table.fitted is not None
        assert found.table.passes == passes
        assert parse_table(table_bytes(found.table), Path("table.json")) == found.table
        for graph in networks(5, seed=4):
            assert estimate(graph, found.table).seconds == pytest.approx(total(graph, passes), rel=0.1)


def test_a_runtime_that_leaves_something_out_has_work_of_its_own() -> None:
    space = load(SPACE, overrides={"cells": "1"})
    measured = [MeasuredNetwork(graph, total(graph, REMOVED)) for graph in networks(24, seed=1)]
    found = fitted_table(space, Unit.MS, measured, "networks.csv").table
    with pytest.raises(ValueError, match="the table is of a runtime with"):
        seconds(found, Work.of(space.program))
    work = Work.of(space.program, passes=REMOVED)
    least, greatest = (extremum(work, seconds(found, work), extreme).value for extreme in Extreme)
    assert all(least <= estimate(graph, found).seconds <= greatest for graph in networks(5, seed=6))


def test_a_table_is_measured_or_fitted() -> None:
    head = Fit(source="nets.csv", networks=9, error=0.1, rank_correlation=0.9, constants="computed", dead_code="run")
    both = Table(Unit.MS, {}, measurement(), fitted=head)
    with pytest.raises(TableUnreadable, match="`measured` or `fitted`, and it says both"):
        parse_table(table_bytes(both), Path("table.json"))


def test_rows_are_counted_alike_by_graphs_and_by_diagrams() -> None:
    program = load(SPACE).program
    census, random = Census(program), Random(5)
    answers: list[Answers] = [census.sample(random) for _ in range(8)]
    graphs = [closed(program, trace(program, each), "net") for each in answers]
    for passes in ALL_PASSES:
        one = RowCounts.of(graphs, passes)
        other = RowCounts.of_answers(program, answers, passes)
        for number in range(len(answers)):
            assert by_row(one, number) == by_row(other, number)


def by_row(found: RowCounts, network: int) -> dict[Row, int]:
    return {row: round(count) for row, count in zip(found.kernels, found.counts[network], strict=True) if count}


def test_dead_code_is_what_only_zeros_read() -> None:
    program = load(SPACE, overrides={"cells": "1"}).program
    census, random = Census(program), Random(0)
    base = census.sample(random)
    unread = {path: ("none",) if str(path).startswith("normal.x3.") else ("nor_conv(k = 3)",) for path in base}
    graph = closed(program, trace(program, unread), "net")
    ops = {row.op for row in rows_of(graph, REMOVED)}
    assert "nor_conv" in {row.op for row in rows_of(graph)}
    assert "none" in ops
    assert not any("32x32" in row.gives and row.op == "nor_conv" for row in rows_of(graph, REMOVED))


@pytest.mark.parametrize("seed", range(20))
def test_nonnegative_weights_are_those_of_the_best_set(seed: int) -> None:
    draw = np.random.default_rng(seed)
    matrix, target = draw.normal(size=(8, 5)), draw.normal(size=8)
    gram, moments = matrix.T @ matrix + 1e-3 * np.eye(5), matrix.T @ target
    found = nonnegative_least_squares(gram, moments)
    assert (found >= 0).all()
    assert objective(gram, moments, found) == pytest.approx(
        min(
            objective(gram, moments, weights)
            for chosen in product((False, True), repeat=5)
            if (weights := restricted(gram, moments, np.array(chosen))).min() >= 0
        )
    )


def objective(gram: NDArray[np.float64], moments: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ gram @ weights / 2 - moments @ weights)


def restricted(
    gram: NDArray[np.float64], moments: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    weights = np.zeros(len(moments))
    weights[chosen] = np.linalg.solve(gram[np.ix_(chosen, chosen)], moments[chosen])
    return weights


def test_ranks_of_equal_numbers_are_shared() -> None:
    assert rank_correlation(np.array([1.0, 2.0, 2.0, 3.0]), np.array([4.0, 5.0, 5.0, 9.0])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1.0, 1.0]), np.array([1.0, 2.0])) == 0.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("genotype,hours\n", "it needs `genotype`, and one of"),
        ("genotype,ms,us\n", "it needs `genotype`, and one of"),
        ("", "has the columns of no head"),
        ("genotype,ms\nnet.arch,-1\n", "line 2: a time has to be a number above 0, and this is `-1`"),
        ("genotype,ms\nnet.arch,nan\n", "line 2: a time has to be a number above 0, and this is `nan`"),
        ("genotype,ms\nnet.arch\n", "line 2: a time has to be a number above 0, and this is ``"),
        ("genotype,ms\n,1\n", "line 2: no genotype is named"),
        (f"genotype,ms\n{ROOT}/tests/texts/genotypes/darts_v2.arch,1\n", "is of `darts`"),
        (f"genotype,ms\n{SPACE},1\n", "still asks 6 questions"),
    ],
)
def test_measurements_that_do_not_go_together_are_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "measured.csv"
    file.write_text(content)
    with pytest.raises(BadMeasurements, match=said):
        read_measured(file, load(SPACE))


def test_few_networks_are_not_fitted() -> None:
    with pytest.raises(BadMeasurements, match="4 measured networks are too few"):
        fitted_table(load(SPACE), Unit.MS, [MeasuredNetwork(graph, 1.0) for graph in networks(4, seed=1)], "few.csv")


@pytest.mark.skipif(not MEASURED.exists(), reason="the public measurements lie beside a checkout")
def test_ten_cells_of_nasbench201_rank_all_others() -> None:
    found = read(MEASURED)
    ten = correlations(found, by_table(found), samples=10, draws=5, seed=7)
    thirty = correlations(found, by_table(found), samples=30, draws=3, seed=7)
    assert ten.mean() >= 0.95
    assert thirty.mean() >= 0.97
    assert ten.mean() > correlations(found, by_op_counts(found, 0.01), samples=10, draws=5, seed=7).mean()
