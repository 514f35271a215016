"""Under bounds the genotype is the most probable one of an enumeration, and meets them as predictions say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings

from archdsl.cost import figures
from archdsl.cost.expectation.diagrams import Diagrams
from archdsl.cost.expectation.measures import activations, macs, params
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.rows import rows_of, uses
from archdsl.ir import ClosedGraph, closed
from archdsl.pipeline import load
from archdsl.search.derive.budget import LIMIT, Best, Bound, OutOfReach, log_probability, most_probable
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.plan import Plan
from archdsl.search.derive.where import Where, most_probable_where
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.trace import Answers, trace
from tests.cost.invented import numbered
from tests.cost.test_expectation import by_row, one_hot, price
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.space.enumeration import genotypes

ROOT = Path(__file__).parents[2]
MEASURES: Mapping[str, Callable[[Term], float]] = {"params": params, "macs": macs, "activations": activations}
MOST = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def network(program: Program, answers: Answers) -> ClosedGraph:
    return closed(program, trace(program, answers), "net")


def at_random(program: Program, random: Random) -> Chances:
    """Some logits are equal, so that several genotypes are as probable."""
    plan = Plan.plain(program, {})
    logits = {
        path: tuple(random.choice((random.gauss(0, 1), 0.0)) for _ in learned.candidates)
        for path, learned in plan.learned.items()
    }
    return Chances(plan, logits)


def best(chances: Chances, bounds: Sequence[tuple[Callable[[Term], float], Where]]) -> Best | None:
    program, diagrams = chances.plan.program, Diagrams(LIMIT)
    made: list[Bound] = []
    for cost, where in bounds:
        work = Work.of(program, ops=where.cost == "rows", diagrams=diagrams)
        strict = "=" not in where.operator
        made.append(Bound(work, cost, where.limit, at_least=where.operator[0] == ">", strict=strict))
    try:
        return most_probable(chances, made, diagrams)
    except OutOfReach:
        return None


def meets(number: float, where: Where) -> bool:
    compared = {"<": number < where.limit, ">": number > where.limit}[where.operator[0]]
    return compared or ("=" in where.operator and number == where.limit)


def holds(program: Program, random: Random) -> None:
    """One bound, and two together; at costs that genotypes have, and beyond them."""
    chances = at_random(program, random)
    every = [dict(each) for each in genotypes(program)]
    graphs = [network(program, answers) for answers in every]
    costs: dict[str, list[float]] = {name: [getattr(figures(each), name) for each in graphs] for name in MEASURES}
    costs["rows"] = [fsum(price(use.row) for use in uses(graph)) for graph in graphs]
    chance = [log_probability(chances, answers) for answers in every]
    for names in (("macs",), ("rows",), ("rows", "params")):
        wheres = [
            Where(name, random.choice(("<", "<=", ">", ">=")), random.choice((*costs[name], max(costs[name]) + 1)), "")
            for name in names
        ]
        found = best(chances, [(MEASURES.get(each.cost, by_row), each) for each in wheres])
        within = [
            number for number in range(len(every)) if all(meets(costs[where.cost][number], where) for where in wheres)
        ]
        if not within:
            assert found is None
            continue
        assert found is not None
        assert found.answers in [every[number] for number in within]
        assert found.log_probability == pytest.approx(max(chance[number] for number in within), abs=1e-9)
        assert log_probability(chances, found.answers) == pytest.approx(found.log_probability, abs=1e-9)


@settings(max_examples=25)
@given(text=small_spaces())
def test_of_small_spaces(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    assume(1 < Census(program).count <= MOST)
    holds(program, Random(6))


@pytest.mark.slow
@settings(max_examples=250)
@given(text=small_spaces())
def test_of_many_small_spaces(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    assume(1 < Census(program).count <= MOST)
    holds(program, Random(7))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "overrides"),
    [
        ("spaces/fasterseg.arch", {"layers": "2", "w": "2"}),
        ("spaces/nasbench201.arch", {"c": "2", "cells": "1"}),
    ],
)
def test_of_spaces_with_thousands_of_genotypes(file: str, overrides: Mapping[str, str]) -> None:
    """Whose costs the expectation has, all at once; that these are those of networks is a law of its own."""
    program = load(str(ROOT / file), overrides=overrides, size=(64, 128)).program
    chances = at_random(program, Random(8))
    every = [dict(each) for each in genotypes(program)]
    expectation = Expectation.of(Work.of(program, ops=False), macs)
    answered = np.array([expectation.chances(one_hot(expectation, answers)) for answers in every]).T
    costs: list[float] = (expectation.costs @ expectation.chances_of_terms(answered)).tolist()
    chance = [log_probability(chances, answers) for answers in every]
    for share in (0, 10, 50):
        limit = sorted(costs)[len(costs) * share // 100]
        found = best(chances, [(macs, Where("macs", "<=", limit, ""))])
        assert found is not None
        within = [each for each, cost in zip(chance, costs, strict=True) if cost <= limit]
        assert found.log_probability == pytest.approx(max(within), abs=1e-9)
        assert costs[every.index(dict(found.answers))] <= limit


@pytest.mark.parametrize("name", ["cas", "gas", "autortnet"])
def test_of_the_papers_spaces_none_that_is_drawn_is_better(name: str) -> None:
    """They have 10^13 genotypes and more. A looser bound never makes it less probable."""
    program = load(str(ROOT / f"spaces/{name}.arch")).program
    random = Random(9)
    chances = at_random(program, random)
    census = Census(program)
    sampled = [census.sample(random) for _ in range(2)]
    before = -float("inf")
    for answers in sorted(sampled, key=lambda each: figures(network(program, each)).macs):
        limit = figures(network(program, answers)).macs
        found = best(chances, [(macs, Where("macs", "<=", limit, ""))])
        assert found is not None
        assert figures(network(program, found.answers)).macs <= limit
        assert found.log_probability >= max(before, log_probability(chances, answers)) - 1e-9
        before = found.log_probability


def test_latency_is_that_of_a_table(folder: Path) -> None:
    file = folder / "net.arch"
    file.write_text(
        "archdsl 1\n\nspace net() {\n  in image: 4x8x8\n  x = image -> {conv(c = 4), relu, bn}\n"
        "  out y = x -> {conv(c = 4), relu, relu6}\n}\n",
        encoding="utf-8",
    )
    program = load(str(file)).program
    every = [dict(each) for each in genotypes(program)]
    table = numbered(dict.fromkeys(row for answers in every for row in rows_of(network(program, answers))))
    chances = at_random(program, Random(2))
    seconds = [
        fsum(table.seconds(use.row) or 0 for use in uses(network(program, answers))) * table.factor for answers in every
    ]
    limit = sorted(seconds)[3]
    where = Where.parse(f"latency <= {1e3 * limit:.6f}ms")
    found = most_probable_where(chances, [where], table)
    within = [answers for answers, each in zip(every, seconds, strict=True) if each <= limit * (1 + 1e-6)]
    assert found in within
    assert log_probability(chances, found) == max(log_probability(chances, answers) for answers in within)
    with pytest.raises(
        NotDerived, match=r"no genotype meets `latency < 1ns`: genotypes of the space have latency from"
    ):
        most_probable_where(chances, [Where.parse("latency < 1ns")], table)
    with pytest.raises(NotDerived, match="needs a cost table"):
        most_probable_where(chances, [where], None)


def test_answers_that_are_given_or_not_allowed_stay_so() -> None:
    program = load(str(ROOT / "spaces/gas.arch")).program
    path = next(iter(program.questions))
    plan = Plan.plain(program, {path: ("conv3x3",)})
    chances = Chances(plan, {each: (9.0, *([0.0] * 7)) for each in plan.learned})
    found = best(chances, [(macs, Where("macs", "<", 1e12, ""))])
    assert found is not None
    assert found.answers[path] == ("conv3x3",)
    assert {answer for each, answer in found.answers.items() if each != path} == {("max_pool3x3",)}
