"""The least and the greatest are those of an enumeration, and the genotype has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import fsum
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings

from archdsl.cost import figures, kernel
from archdsl.cost.bounds import bounds
from archdsl.cost.estimate import estimate
from archdsl.cost.expectation.measures import activations, macs, params
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.extremes import Extreme, extremum
from archdsl.cost.interpolate import with_interpolated
from archdsl.cost.rows import uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import load
from archdsl.pipeline.ranges import Figure, Ranges
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.cost.invented import table
from tests.cost.test_expectation import by_row, one_hot, price
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.space.enumeration import genotypes

ROOT = Path(__file__).parents[2]
MEASURES: Mapping[str, Callable[[Term], float]] = {"params": params, "macs": macs, "activations": activations}
BEST = {Extreme.LEAST: min, Extreme.GREATEST: max}
MOST = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def network(program: Program, answers: Answers) -> ClosedGraph:
    found = trace(program, answers)
    assert found.closed
    assert found.asked.keys() == answers.keys()
    return closed(program, found, "net")


def holds(program: Program) -> None:
    """On every genotype of a space."""
    graphs = [network(program, dict(each)) for each in genotypes(program)]
    counted, of_ops = Work.of(program, ops=False), Work.of(program)
    for extreme, best in BEST.items():
        for name, measure in MEASURES.items():
            found = extremum(counted, measure, extreme)
            assert found.value == best(getattr(figures(graph), name) for graph in graphs)
            assert found.value == getattr(figures(network(program, found.answers)), name)
        found = extremum(of_ops, by_row, extreme)
        prices = [fsum(price(use.row) for use in uses(graph)) for graph in graphs]
        assert found.value == pytest.approx(best(prices))
        assert found.value == pytest.approx(fsum(price(use.row) for use in uses(network(program, found.answers))))


def within_bounds(program: Program) -> None:
    found = dict(zip(MEASURES, bounds(program, [kernel.params, kernel.macs, kernel.activations]), strict=True))
    for answers in genotypes(program):
        counted = figures(network(program, dict(answers)))
        for name, each in found.items():
            assert each.least <= getattr(counted, name) <= each.greatest


@settings(max_examples=25)
@given(text=small_spaces())
def test_small_spaces_lie_within_bounds(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    assume(Census(program).count <= MOST)
    within_bounds(program)


def test_a_chain_is_its_own_bound(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text("archdsl 1\n\nspace net() {\n  in image: 3x8x8\n  out y = image -> conv(4, s = 2) -> relu\n}\n")
    program = load(str(file)).program
    counted = figures(network(program, {}))
    (found,) = bounds(program, [kernel.macs])
    assert found.least == found.greatest == counted.macs > 0


def test_samples_of_fasterseg_lie_within_bounds() -> None:
    program = load(str(ROOT / "spaces/fasterseg.arch"), size=(256, 512)).program
    (found,) = bounds(program, [kernel.macs])
    census, random = Census(program), Random(2)
    for _ in range(5):
        assert found.least < figures(network(program, census.sample(random))).macs < found.greatest


@settings(max_examples=25)
@given(text=small_spaces())
def test_of_small_spaces(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    assume(Census(program).count <= MOST)
    holds(program)


@pytest.mark.parametrize(
    ("file", "overrides"),
    [
        ("spaces/fasterseg.arch", {"layers": "2", "w": "2"}),
        pytest.param("spaces/nasbench201.arch", {"c": "2", "cells": "1"}, marks=pytest.mark.slow),
    ],
)
def test_of_spaces_with_thousands_of_genotypes(file: str, overrides: Mapping[str, str]) -> None:
    """Whose costs the expectation has, all at once; that these are those of networks is a law of its own."""
    program = load(str(ROOT / file), overrides=overrides, size=(64, 128)).program
    every = [dict(each) for each in genotypes(program)]
    work = Work.of(program, ops=False)
    for measure in MEASURES.values():
        expectation = Expectation.of(work, measure)
        chances = np.array([expectation.chances(one_hot(expectation, answers)) for answers in every]).T
        costs = expectation.costs @ expectation.chances_of_terms(chances)
        for extreme, best in BEST.items():
            found = extremum(work, measure, extreme)
            assert found.value == best(costs.tolist())
            assert found.answers in every


@pytest.mark.parametrize("name", ["cas", "gas", "autortnet"])
def test_no_sample_of_a_space_lies_outside(name: str) -> None:
    program = load(str(ROOT / f"spaces/{name}.arch")).program
    work, census, random = Work.of(program, ops=False), Census(program), Random(1)
    sampled = [figures(network(program, census.sample(random))) for _ in range(5)]
    for figure, measure in MEASURES.items():
        least, greatest = (extremum(work, measure, extreme) for extreme in Extreme)
        for each, found in (("least", least), ("greatest", greatest)):
            assert found.value == getattr(figures(network(program, found.answers)), figure), each
        assert all(least.value < getattr(each, figure) < greatest.value for each in sampled)


def test_an_end_says_whether_it_has_rows_that_were_not_measured(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(
        "archdsl 1\n\nspace net(c = 2) {\n  in image: 3x8x8\n  choose width in {1, 2, 3}\n"
        "  out y = image -> conv(width * c) -> conv(4)\n}\n"
    )
    around = [load(str(file), overrides={"c": count}).program for count in ("1", "3")]
    measured = table({row: price(row) for each in around for row in rows_of_space(each)})
    program = load(str(file)).program
    lacking = measured.missing(rows_of_space(program))
    between = with_interpolated(measured, lacking)
    assert between.interpolated
    found = Ranges(program).of_seconds(between)
    every = [estimate(network(program, dict(each)), between) for each in genotypes(program)]
    assert (found.least, found.greatest) == pytest.approx(
        (min(each.seconds for each in every), max(each.seconds for each in every))
    )
    for end, answers in found.exact.items():
        assert (end in found.interpolated) == bool(estimate(network(program, answers), between).interpolated)
    assert Ranges(program).of(Figure.MACS).interpolated == frozenset()
