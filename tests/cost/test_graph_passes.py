"""What a runtime leaves out: constants and dead code, by graphs, by diagrams, and in ONNX Runtime itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice, product
from math import fsum, prod
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl.backends.onnx.model import to_onnx
from archdsl.cost.estimate import estimate
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.cost.extremes import Extreme, extremum
from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses, depending_on_images
from archdsl.cost.rows import uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Table, passes_of
from archdsl.ir import ClosedGraph, closed
from archdsl.measure.choose import find_runtime
from archdsl.measure.runtime import DeviceName, RuntimeName
from archdsl.measure.subjects import Task, Whole, calibration, drawn
from archdsl.ops.convolution import CONV, DWCONV
from archdsl.pipeline import Loaded, load
from archdsl.pipeline.ranges import Ranges
from archdsl.settings.costs import Unit
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.path import QuestionPath
from archdsl.space.trace import Answers, trace
from archdsl.weights import random_weights
from tests.cost.invented import measurement
from tests.cost.test_expectation import at_random, by_row, one_hot, price
from tests.onnx_session import optimized
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn as program_of
from tests.space.enumeration import genotypes

ROOT = Path(__file__).parents[2]
MOST = 100
"""So many combinations of answers are looked at one by one."""
FOLDED, REMOVED = GraphPasses(constants_folded=True), GraphPasses(dead_code_removed=True)
BOTH = GraphPasses(constants_folded=True, dead_code_removed=True)
EVERY = (AS_WRITTEN, FOLDED, REMOVED, BOTH)
SPACES = (
    *("spaces/cas.arch", "spaces/gas.arch", "spaces/autortnet.arch"),
    *(f"spaces/{name}.arch" for name in ("nasbench201", "fbnet")),
)
SKIP, ZERO = "op skip() {\n  in x\n  out x\n}", "op skip() = zero"
"""Of small spaces one op is replaced by zeros."""
CUT = """archdsl 1

op first() = conv(8)
op dead() = conv(8, k = 3)
op none() = zero
op after() = conv(8, k = 5)
op beside() = conv(8, k = 7)

space cut() {
  in image: 3x16x16
  x = image -> first
  constant = x -> dead -> none -> after -> after
  out y = concat(x -> beside, constant) -> conv(4)
}

space useless() {
  in image: 3x16x16
  out y = image -> first -> none -> after
}

space net() {
  in image: 8x16x16
  x = image -> {first, none}
  out y = x -> {after, beside}
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def item(folder: Path, name: str) -> Loaded:
    file = folder / "cut.arch"
    file.write_text(CUT, encoding="utf-8")
    return load(f"{file}:{name}")


def ops(graph: ClosedGraph, passes: GraphPasses) -> list[str]:
    return [use.row.op for use in uses(graph, passes)]


def test_each_pass_leaves_out_what_it_says(folder: Path) -> None:
    graph = item(folder, "cut").network()
    after = ["beside", "concat", "conv"]
    assert sorted(ops(graph, AS_WRITTEN)) == sorted(["first", "dead", "none", "after", "after", *after])
    assert sorted(ops(graph, FOLDED)) == sorted(["first", "dead", *after])
    assert sorted(ops(graph, REMOVED)) == sorted(["first", "none", "after", "after", *after])
    assert sorted(ops(graph, BOTH)) == sorted(["first", *after])


def test_of_what_never_depends_on_the_image_nothing_is_left(folder: Path) -> None:
    graph = item(folder, "useless").network()
    assert depending_on_images(graph).isdisjoint(graph.results)
    assert ops(graph, FOLDED) == ["first"]
    assert ops(graph, BOTH) == []


def test_no_scale_is_fitted_on_a_network_that_is_folded_whole(folder: Path) -> None:
    space = item(folder, "net")
    assert {path for graph in drawn(space, 20) for path in ops(graph, BOTH)} > {"first"}
    assert any(not ops(graph, BOTH) for graph in drawn(space, 20))
    found = [task.subject for task in calibration(space, 20, BOTH)]
    assert sorted(len(each.rows) for each in found if isinstance(each, Whole)) == [2, 2]
    assert Task.of_network(item(folder, "useless").network(), BOTH).subject == Whole("nothing", ())


# By diagrams ----------------------------------------------------------------------------------------


def of_network(program: Program, answers: Answers, passes: GraphPasses) -> float:
    return fsum(price(use.row) for use in uses(closed(program, trace(program, answers), "net"), passes))


@pytest.mark.parametrize("file", SPACES)
def test_of_one_network_the_expectation_is_the_sum_of_its_rows(file: str) -> None:
    equal(load(str(ROOT / file)).program, FOLDED, count=6)


@pytest.mark.slow
@pytest.mark.parametrize("passes", EVERY)
@pytest.mark.parametrize("file", ["spaces/fasterseg.arch", *SPACES, "spaces/darts.arch"])
def test_of_two_hundred_networks_the_expectation_is_the_sum_of_their_rows(file: str, passes: GraphPasses) -> None:
    equal(load(str(ROOT / file)).program, passes, count=200)


def equal(program: Program, passes: GraphPasses, count: int) -> None:
    expectation = Expectation.of(Work.of(program, passes=passes), by_row)
    census, random = Census(program), Random(1)
    for _ in range(count):
        answers = census.sample(random)
        found = expectation.value(expectation.chances(one_hot(expectation, answers)))
        assert found == pytest.approx(of_network(program, answers, passes), rel=1e-9)


@settings(max_examples=12)
@given(text=small_spaces(), passes=st.sampled_from(EVERY), seed=st.integers(0, 10_000))
def test_it_is_the_mean_over_all_answers(folder: Path, text: str, passes: GraphPasses, seed: int) -> None:
    program = program_of(folder, text.replace(SKIP, ZERO))
    work = Work.of(program, passes=passes)
    expectation = Expectation.of(work, by_row)
    variables = work.variables.all
    assume(prod(len(each.answers) - each.keeps for each in variables) <= MOST)
    chances = at_random(expectation, seed)
    mean = 0.0
    for answers in product(*(each.answers[: len(each.answers) - each.keeps] for each in variables)):
        chosen: Mapping[QuestionPath, tuple[str, ...]] = dict(
            zip((each.path for each in variables), answers, strict=True)
        )
        chance = prod(
            chances[each.path][each.answers.index(answer)] for each, answer in zip(variables, answers, strict=True)
        )
        mean += chance * of_network(program, chosen, passes)
    assert expectation.value(expectation.chances(chances)) == pytest.approx(mean, rel=1e-9)


@settings(max_examples=12)
@given(text=small_spaces(), passes=st.sampled_from(EVERY))
def test_the_least_and_the_greatest_are_those_of_an_enumeration(folder: Path, text: str, passes: GraphPasses) -> None:
    program = program_of(folder, text.replace(SKIP, ZERO))
    every = list(islice(genotypes(program), MOST + 1))
    assume(len(every) <= MOST)
    prices = [of_network(program, dict(answers), passes) for answers in every]
    work = Work.of(program, passes=passes, encoded=True)
    for extreme, best in ((Extreme.LEAST, min(prices)), (Extreme.GREATEST, max(prices))):
        found = extremum(work, by_row, extreme)
        assert found.value == pytest.approx(best)
        assert of_network(program, found.answers, passes) == pytest.approx(best)


def test_the_range_of_a_long_chain_is_that_of_its_genotypes() -> None:
    program = load(str(ROOT / "spaces/gas.arch")).program
    folding = measurement().model_copy(update={"constants": "folded"})
    prices = Table(Unit.MS, {row: price(row) for row in rows_of_space(program)}, folding)
    found = Ranges(program).of_seconds(prices)
    computed = Ranges(program).of_seconds(replace(prices, measured=measurement()))
    assert found.least < computed.least
    for extreme in Extreme:
        graph = closed(program, trace(program, found.exact[extreme]), "net")
        assert found.end(extreme) == pytest.approx(estimate(graph, prices).seconds)


def test_nothing_is_left_out_of_a_space_without_zeros() -> None:
    program = load(str(ROOT / "tests/texts/hrnet.arch")).program
    every = [Expectation.of(Work.of(program, passes=passes), by_row) for passes in EVERY]
    for each in every[1:]:
        assert np.array_equal(each.factors, every[0].factors)
        assert np.array_equal(each.costs, every[0].costs)


# In ONNX Runtime ------------------------------------------------------------------------------------


def convolutions(graph: ClosedGraph) -> int:
    passes = passes_of(find_runtime(RuntimeName.ORT, DeviceName.CPU).conditions)
    counts = Counter(step.payload.primitive for use in uses(graph, passes) for step in use.kernel.steps)
    return counts[CONV.name] + counts[DWCONV.name]


def convolutions_run(graph: ClosedGraph, path: Path) -> int:
    model = to_onnx(graph, random_weights(graph))
    return sum("Conv" in node.op_type for node in optimized(model, path).graph.node)


@pytest.mark.parametrize("name", ["cut", "useless"])
def test_onnx_runtime_runs_the_rows_that_are_priced(name: str, folder: Path) -> None:
    graph = item(folder, name).network()
    assert convolutions_run(graph, folder / "optimized.onnx") == convolutions(graph)


@pytest.mark.parametrize("cut", [(), (6,), (8, 9)])
def test_onnx_runtime_runs_the_rows_that_are_priced_of_a_space_with_zeros(cut: tuple[int, ...], tmp_path: Path) -> None:
    """Cells whose every edge is a zero: what follows two of them depends on no image."""
    program = load(str(ROOT / "spaces/gas.arch"), overrides={"f": "2"}, size=(65, 129)).program
    zeros = tuple(f"trunk[{number}]." for number in cut)
    answers = {
        path: ("zero",) if str(path).startswith(zeros) else answer
        for path, answer in Census(program).sample(Random(len(cut))).items()
    }
    graph = closed(program, trace(program, answers), "net")
    assert depending_on_images(graph).isdisjoint(graph.results) == (len(cut) == 2)
    assert convolutions_run(graph, tmp_path / "optimized.onnx") == convolutions(graph)
