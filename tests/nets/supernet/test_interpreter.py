"""Supernets against plain recursion over their programs, with soft decisions in spaces that nobody wrote."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given, settings

from archdsl.nets.supernet import Decisions
from archdsl.space import Program, QuestionKind
from tests.nets.supernet.interpreter import Interpreter
from tests.nets.supernet.scrambled import differ, images, scrambled
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn, program_of
from tests.relax.branches import two_branches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interpreter")


@settings(max_examples=30)
@given(small_spaces())
def test_soft_decisions_are_what_plain_recursion_computes(folder: Path, text: str) -> None:
    """Ends of branches are mixed as well; widths are answered, with the second of their candidates."""
    is_plain_recursion(drawn(folder, text))


BRANCHES = two_branches(
    "x = a.at(2) -> bn",
    "y = sum(x, b.at(3)) -> bn -> {conv(c = 3), bn}",
    "z = concat(y, x, b.at(2))",
    "out logits = concat(z, sum(y -> bn, a.at(3), b.last), multiply(x -> bn, a.last))",
)


def test_maps_that_may_be_absent_are_weighed_by_their_chance(folder: Path) -> None:
    """Sums and products of them, alone and behind norms, which make something of zeros."""
    is_plain_recursion(program_of(folder, BRANCHES))


def is_plain_recursion(program: Program) -> None:
    net = scrambled(program).double()
    questions = net.relaxer.everything.questions
    widths = {path for path, question in questions.items() if question.kind is QuestionKind.WIDTH}
    random = Random(6)
    answers = {path: (net.answers(path)[1],) for path in widths}
    by_answer = {path: {answer: random.random() for answer in net.answers(path)} for path in questions}
    weights = {
        path: torch.tensor(list(each.values()), dtype=torch.float64)
        for path, each in by_answer.items()
        if path not in widths
    }
    by_answer |= {path: {answer: 1.0} for path, (answer,) in answers.items()}
    x_BCHW = images(net.program).double()
    with torch.no_grad():
        wanted = Interpreter(net.program, net.state_dict(), by_answer, x_BCHW).outputs()
        found = net.outputs(x_BCHW, Decisions(answers, weights))
    assert differ(found, wanted) <= 1e-9
