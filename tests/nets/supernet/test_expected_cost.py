"""The expected cost of decisions, as torch sees it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch

from archdsl.cost import figures
from archdsl.cost.expectation.measures import macs
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.pipeline import load
from archdsl.space.count import Census

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def supernet() -> Supernet:
    return Supernet(load(str(ROOT / "spaces/nasbench201.arch")).program)


@pytest.fixture(scope="module")
def multiply_adds(supernet: Supernet) -> Expectation:
    return Expectation.of(Work.of(supernet.program, ops=False), macs)


def test_a_genotype_costs_what_its_network_does(supernet: Supernet, multiply_adds: Expectation) -> None:
    answers = Census(supernet.program).sample(Random(1))
    found = supernet.expected_cost(multiply_adds, supernet.one_hot(answers))
    assert float(found) == figures(supernet.network_graph(answers)).macs


def test_gradients_reach_the_logits(supernet: Supernet, multiply_adds: Expectation) -> None:
    logits = {path: torch.zeros(5, dtype=torch.float64, requires_grad=True) for path in supernet.questions}
    weights = {path: torch.softmax(each, 0) for path, each in logits.items()}
    cost = supernet.expected_cost(multiply_adds, Decisions({}, weights)).log()
    for path, gradient in zip(logits, torch.autograd.grad(cost, list(logits.values())), strict=True):
        answers = {answer: float(gradient[number]) for number, answer in enumerate(supernet.answers(path))}
        # A gradient descends by what costs less.
        assert answers["nor_conv(k = 3)"] > answers["nor_conv(k = 1)"] > answers["none"]


def test_a_question_without_an_answer_is_named(supernet: Supernet, multiply_adds: Expectation) -> None:
    with pytest.raises(ValueError, match="has neither an answer nor weights"):
        supernet.expected_cost(multiply_adds, Decisions())
