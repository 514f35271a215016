"""The expected cost is exact: of one network its own, of answers at random the mean over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations as pairs
from itertools import product
from math import fsum, prod
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from archdsl.cost import figures
from archdsl.cost.estimate import MissingRows, estimate
from archdsl.cost.expectation.measures import macs, params, seconds
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.rows import Row, uses
from archdsl.ir import closed
from archdsl.pipeline import load
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.path import QuestionPath
from archdsl.space.trace import Answers, trace
from tests.cost.invented import SCALE, table
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn

ROOT = Path(__file__).parents[2]
SPACES = ("spaces/cas.arch", "spaces/gas.arch", "spaces/autortnet.arch")
TEXTS = ("nasbench201", "ofa_mobilenetv3", "fbnet")
LARGE = ("spaces/fasterseg.arch", "spaces/darts.arch", "spaces/auto_deeplab.arch")
MOST = 400
"""So many combinations of answers are looked at one by one."""


def price(row: Row) -> float:
    """A number for each row, the same in every run."""
    return 1 + crc32(f"{row.reads} {row.body}".encode()) % 1000


def by_row(term: Term) -> float:
    return price(term.row)


def of_network(program: Program, answers: Answers) -> float:
    return fsum(price(use.row) for use in uses(closed(program, trace(program, answers), "net")))


def one_hot(expectation: Expectation, answers: Answers) -> Mapping[QuestionPath, list[float]]:
    """What is not asked has some answer."""
    return {
        each.path: [float(answer == answers.get(each.path, each.answers[0])) for answer in each.answers]
        for each in expectation.variables
    }


def at_random(expectation: Expectation, seed: int) -> dict[QuestionPath, list[float]]:
    draw = np.random.default_rng(seed)
    found: dict[QuestionPath, list[float]] = {}
    for each in expectation.variables:
        count = len(each.answers) - each.keeps
        found[each.path] = [*draw.dirichlet([1.0] * count).tolist(), *([0.0] * each.keeps)]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.mark.parametrize("file", [*SPACES, *(f"spaces/{name}.arch" for name in TEXTS)])
def test_of_one_network_it_is_the_sum_of_its_rows(file: str) -> None:
    program = load(str(ROOT / file)).program
    expectation = Expectation.of(Work.of(program), by_row)
    census, random = Census(program), Random(1)
    for _ in range(4):
        answers = census.sample(random)
        found = expectation.value(expectation.chances(one_hot(expectation, answers)))
        assert found == of_network(program, answers)  # whole numbers: exact


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [*LARGE, "spaces/cas.arch:cas_backbone", *SPACES, *(f"spaces/{name}.arch" for name in TEXTS)],
)
def test_of_two_hundred_networks_it_is_the_sum_of_their_rows(file: str) -> None:
    program = load(str(ROOT / file)).program
    expectation = Expectation.of(Work.of(program), by_row)
    census, random = Census(program), Random(2)
    for _ in range(200):
        answers = census.sample(random)
        found = expectation.value(expectation.chances(one_hot(expectation, answers)))
        assert found == of_network(program, answers)  # whole numbers: exact


@pytest.mark.parametrize("file", ["spaces/gas.arch", "spaces/ofa_mobilenetv3.arch"])
@pytest.mark.parametrize(("measure", "name"), [(macs, "macs"), (params, "params")])
def test_what_is_counted_is_what_figures_count(file: str, measure: Callable[[Term], float], name: str) -> None:
    program = load(str(ROOT / file)).program
    expectation = Expectation.of(Work.of(program, ops=False), measure)
    answers = Census(program).sample(Random(3))
    found = expectation.value(expectation.chances(one_hot(expectation, answers)))
    assert found == getattr(figures(closed(program, trace(program, answers), "net")), name)


class Networks:
    """Every combination of answers to the questions that a cost depends on, each with what its network costs."""

    def __init__(self, program: Program, work: Work) -> None:
        self.variables = [each for number, each in enumerate(work.variables.all) if number in work.asked]
        self.positions = list(product(*(range(len(each.answers) - each.keeps) for each in self.variables)))
        self.costs = np.array([of_network(program, self._answers(each)) for each in self.positions])

    def _answers(self, positions: Sequence[int]) -> Answers:
        return {each.path: each.answers[at] for each, at in zip(self.variables, positions, strict=True)}

    def chances(self, given: Mapping[QuestionPath, Sequence[float]]) -> NDArray[np.float64]:
        """The chance of each combination where each question is answered by itself."""
        numbers = [given[each.path] for each in self.variables]
        return np.array([prod(of[at] for of, at in zip(numbers, each, strict=True)) for each in self.positions])


def combinations(work: Work) -> int:
    asked = (each for number, each in enumerate(work.variables.all) if number in work.asked)
    return prod(len(each.answers) - each.keeps for each in asked)


@settings(max_examples=15)
@given(text=small_spaces(), seed=st.integers(0, 10_000))
def test_it_is_the_mean_over_all_answers(folder: Path, text: str, seed: int) -> None:
    program = drawn(folder, text)
    work = Work.of(program)
    assume(combinations(work) <= MOST)
    expectation, networks = Expectation.of(work, by_row), Networks(program, work)
    chances = at_random(expectation, seed)
    mean = fsum(networks.chances(chances) * networks.costs)
    assert expectation.value(expectation.chances(chances)) == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(
    ("file", "overrides"),
    [("spaces/gas.arch", {}), ("spaces/fasterseg.arch", {"layers": "4"}), ("spaces/nasbench201.arch", {})],
)
def test_of_texts_it_is_the_mean_over_the_answers_that_are_left_open(file: str, overrides: Mapping[str, str]) -> None:
    """Two questions of a sampled network are answered at random."""
    program = load(str(ROOT / file), overrides=overrides).program
    expectation = Expectation.of(Work.of(program), by_row)
    variables = {each.path: each for each in expectation.variables}
    for seed in range(2):
        sampled = Census(program).sample(Random(seed))
        open_ = [variables[path] for path in Random(seed).sample(list(sampled), 2)]
        chances = {**one_hot(expectation, sampled)}
        anything = at_random(expectation, seed)
        chances |= {each.path: anything[each.path] for each in open_}
        mean = 0.0
        for answers in product(*(each.answers for each in open_)):
            picked = dict(zip((each.path for each in open_), answers, strict=True))
            chance = prod(chances[each.path][each.answers.index(picked[each.path])] for each in open_)
            every = {path: each.answers[0] for path, each in variables.items()}  # for what other answers ask
            mean += chance * of_network(program, {**every, **sampled, **picked})
        assert expectation.value(expectation.chances(chances)) == pytest.approx(mean, rel=1e-9)


@settings(max_examples=15)
@given(text=small_spaces(), seed=st.integers(0, 10_000))
def test_where_options_differ_in_cost_there_is_a_gradient(folder: Path, text: str, seed: int) -> None:
    """From one answer to another it is how the means over the networks with them differ, and 0 where none differ."""
    program = drawn(folder, text)
    work = Work.of(program)
    assume(combinations(work) <= MOST)
    expectation, networks = Expectation.of(work, by_row), Networks(program, work)
    chances = at_random(expectation, seed)
    value, gradient = expectation.value_and_gradient(expectation.chances(chances))
    for number, variable in enumerate(networks.variables):
        others = networks.chances({**chances, variable.path: [1.0] * len(variable.answers)})
        at = np.array([each[number] for each in networks.positions])
        costs = [networks.costs[at == answer] for answer in range(len(variable.answers) - variable.keeps)]
        means = [fsum(others[at == answer] * networks.costs[at == answer]) for answer in range(len(costs))]
        slopes = gradient[expectation.positions[variable.path]]
        for one, other in pairs(range(len(costs)), 2):
            assert slopes[other] - slopes[one] == pytest.approx(means[other] - means[one], rel=1e-6, abs=1e-9 * value)
            if (costs[one] == costs[other]).all():
                assert abs(slopes[other] - slopes[one]) <= 1e-9 * value
            elif (costs[one] <= costs[other]).all():  # else what differs can cancel out
                assert slopes[other] > slopes[one]


def test_by_a_table_it_is_the_estimate() -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    work = Work.of(program)
    rows = dict.fromkeys(term.row for term in work.terms)
    measured = table({row: price(row) for row in rows}, scale=SCALE)
    expectation = Expectation.of(work, seconds(measured, work))
    answers = Census(program).sample(Random(5))
    found = expectation.value(expectation.chances(one_hot(expectation, answers)))
    network = closed(program, trace(program, answers), "net")
    assert found == pytest.approx(estimate(network, measured).seconds, rel=1e-9)


def test_a_row_that_a_table_lacks_is_named() -> None:
    work = Work.of(load(str(ROOT / "spaces/nasbench201.arch")).program)
    first, *others = dict.fromkeys(term.row for term in work.terms)
    with pytest.raises(MissingRows) as found:
        seconds(table({row: price(row) for row in others}), work)
    assert found.value.rows == (first,)


@pytest.mark.parametrize("file", [*SPACES, *(f"spaces/{name}.arch" for name in TEXTS)])
def test_its_gradient_is_that_of_finite_differences(file: str) -> None:
    gradient_is_that_of_finite_differences(load(str(ROOT / file)).program)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["spaces/fasterseg.arch", *(f"spaces/{n}.arch" for n in ("darts", "auto_deeplab"))])
def test_its_gradient_is_that_of_finite_differences_on_large_spaces(file: str) -> None:
    gradient_is_that_of_finite_differences(load(str(ROOT / file)).program)


def gradient_is_that_of_finite_differences(program: Program) -> None:
    expectation = Expectation.of(Work.of(program), by_row)
    draw = np.random.default_rng(4)
    chances = draw.uniform(0.2, 1.0, expectation.size)
    value, gradient = expectation.value_and_gradient(chances)
    assert value == pytest.approx(expectation.value(chances))
    step = 1e-5
    for place in draw.choice(expectation.size, 12, replace=False):
        aside = np.zeros(expectation.size)
        aside[place] = step
        slope = (expectation.value(chances + aside) - expectation.value(chances - aside)) / (2 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-6 * abs(value))


def test_options_that_differ_in_cost_have_a_gradient() -> None:
    program = load(str(ROOT / "spaces/nasbench201.arch")).program
    expectation = Expectation.of(Work.of(program), by_row)
    even = {each.path: [1 / len(each.answers)] * len(each.answers) for each in expectation.variables}
    _, gradient = expectation.value_and_gradient(expectation.chances(even))
    for each in expectation.variables:
        assert np.ptp(gradient[expectation.positions[each.path]]) > 0
