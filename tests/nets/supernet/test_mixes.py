"""What a supernet computes where questions are open, held against the networks that their answers give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax.relaxed import NONE
from archdsl.space import QuestionKind, QuestionPath
from archdsl.space.trace import Answers
from tests.nets.supernet.scrambled import differ, images, scrambled
from tests.properties.affine_spaces import affine_spaces
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn, program_of
from tests.properties.wide_spaces import wide_spaces
from tests.relax.branches import two_branches

MOST = 40
"""So many genotypes of one space are looked at."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mixes")


def probabilities(net: Supernet, seed: int = 3) -> dict[QuestionPath, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        path: torch.rand(len(net.answers(path)), generator=generator, dtype=torch.float64).add(0.2)
        for path in net.questions
    }


def each_answer(net: Supernet) -> Iterator[Mapping[QuestionPath, tuple[str, ...]]]:
    """Every way to answer all questions, asked or not."""
    for answers in product(*(net.answers(path) for path in net.questions)):
        yield {path: (answer,) for path, answer in zip(net.questions, answers, strict=True)}


@settings(max_examples=25)
@given(affine_spaces())
def test_soft_decisions_are_the_mean_over_answers_where_networks_are_affine(folder: Path, text: str) -> None:
    """What is answered stays as answered: every second question is, then none."""
    net = scrambled(drawn(folder, text)).double()
    assume(math.prod(len(net.answers(path)) for path in net.questions) <= MOST)
    weights = {path: each / each.sum() for path, each in probabilities(net).items()}
    x_BCHW = images(net.program).double()
    with torch.no_grad():
        for step in (2, MOST):
            known = {path: (net.answers(path)[-1],) for path in list(net.questions)[1::step]}
            found = net(x_BCHW, Decisions(known, {path: weights[path] for path in weights if path not in known}))
            mean = torch.zeros_like(found)
            for answers in each_answer(net):
                if known.items() <= answers.items():
                    chances = [
                        weights[path][net.answers(path).index(answer)]
                        for path, (answer,) in answers.items()
                        if path not in known
                    ]
                    mean += math.prod(chances) * net(x_BCHW, Decisions(answers))
            assert differ({"y": found}, {"y": mean}) <= 1e-9


def picked(net: Supernet, random: Random) -> tuple[Answers, Answers]:
    """An answer to each question, and the end of each branch."""
    questions = net.relaxer.everything.questions
    ends = {path for path, question in questions.items() if question.kind is QuestionKind.BRANCH}
    drawn = {path: (random.choice(net.answers(path)),) for path in questions}
    return {path: drawn[path] for path in net.questions}, {path: drawn[path] for path in ends}


def one_hot_weights(net: Supernet, answers: Answers) -> dict[QuestionPath, Tensor]:
    return {
        path: torch.tensor([float(each == answer) for each in net.answers(path)]) for path, (answer,) in answers.items()
    }


@settings(max_examples=25)
@given(small_spaces())
def test_weights_of_0_and_1_are_answers(folder: Path, text: str) -> None:
    """Ends of branches as well. Widths are answered: a batch norm has statistics for each, so mixed ones differ."""
    net = scrambled(drawn(folder, text))
    answers, ends = picked(net, Random(3))
    widths = {path: answer for path, answer in answers.items() if net.questions[path].kind is QuestionKind.WIDTH}
    weights = one_hot_weights(net, {path: answer for path, answer in answers.items() if path not in widths})
    x_BCHW = images(net.program)
    with torch.no_grad():
        hard = net.outputs(x_BCHW, Decisions({**answers, **ends}))
        soft = net.outputs(x_BCHW, Decisions({**widths, **ends}, weights))
        softer = net.outputs(x_BCHW, Decisions(widths, {**weights, **one_hot_weights(net, ends)}))
    assert differ(soft, hard) <= 1e-5
    assert differ(softer, hard) <= 1e-5


@settings(max_examples=25)
@given(st.one_of(small_spaces(), wide_spaces()))
def test_straight_through_runs_the_answers(folder: Path, text: str) -> None:
    """Where ends of branches are answered and where they are mixed."""
    net = scrambled(drawn(folder, text))
    answers, ends = picked(net, Random(4))
    weights = one_hot_weights(net, answers)
    x_BCHW = images(net.program)
    with torch.no_grad():
        for given in ({**answers, **ends}, answers):
            through = net.outputs(x_BCHW, Decisions(given, weights))
            assert differ(through, net.outputs(x_BCHW, Decisions(given))) <= 1e-5


EDGES = """archdsl 1

space net() {
  in image: 3x6x6
  x = image -> {conv(c = 4), conv(c = 4, k = 1)}
  out y = x -> conv(2, bias = yes)
}
"""


BRANCHES = two_branches(
    "deep = b.at(3) -> conv(3) -> {dwconv, bn}",
    "out y = sum(a.at(2) -> bn -> {conv(c = 3), conv(c = 3, k = 1)}, deep, b.last)",
)


def test_straight_through_weighs_a_map_that_may_be_absent_as_answers_do(tmp_path: Path) -> None:
    """Ends of branches are mixed, so the maps at 2 and 3 are there by a chance."""
    net = scrambled(program_of(tmp_path, BRANCHES))
    answers, _ = picked(net, Random(4))
    x_BCHW = images(net.program)
    with torch.no_grad():
        hard = net.outputs(x_BCHW, Decisions(answers))
        assert differ(net.outputs(x_BCHW, Decisions(answers, one_hot_weights(net, answers))), hard) <= 1e-5


def test_none_is_one_weight_more_and_a_map_of_zeros(tmp_path: Path) -> None:
    net = scrambled(program_of(tmp_path, EDGES))
    (path,) = net.questions
    x_BCHW = images(net.program)
    mixed = torch.tensor([0.2, 0.3, 0.5])
    with torch.no_grad():
        bias = net.state_dict()["y_conv.bias"].reshape(1, 2, 1, 1)
        found = net(x_BCHW, Decisions(weights={path: mixed})) - bias
        each = [net(x_BCHW, Decisions({path: (answer,)})) - bias for answer in net.answers(path)]
        torch.testing.assert_close(found, 0.2 * each[0] + 0.3 * each[1])
        for none in (Decisions({path: (NONE,)}), Decisions({path: (NONE,)}, {path: mixed})):
            torch.testing.assert_close(net(x_BCHW, none), bias.expand(1, 2, 6, 6))


def test_searching_is_what_the_decisions_say(tmp_path: Path) -> None:
    text = EDGES.replace(
        "  out y = x", "  z = case searching {\n    when yes: x -> conv(4)\n    else: x\n  }\n  out y = z"
    )
    net = scrambled(program_of(tmp_path, text))
    (path,) = net.questions
    x_BCHW = images(net.program)
    with torch.no_grad():
        kernels = net.state_dict()
        x = functional.conv2d(x_BCHW, kernels["x_image_conv.weight"], padding=1)
        searched = functional.conv2d(x, kernels["z_searching_conv.weight"], padding=1)
        for searching, z in ((True, searched), (False, x)):
            y = functional.conv2d(z, kernels["y_conv.weight"], kernels["y_conv.bias"], padding=1)
            found = net(x_BCHW, Decisions({path: (net.answers(path)[0],)}, searching=searching))
            torch.testing.assert_close(found, y)


@settings(max_examples=15)
@given(small_spaces())
def test_fewer_answers_are_those_of_weight_0(folder: Path, text: str) -> None:
    """`without`: a supernet of fewer answers is the one of all whose other answers weigh nothing."""
    program = drawn(folder, text)
    everything = scrambled(program)
    widths = {path for path, question in everything.questions.items() if question.kind is QuestionKind.WIDTH}
    allowed = {path: everything.answers(path)[:1] for path in list(everything.questions)[::2] if path not in widths}
    fewer = Supernet(program, allowed=allowed).eval()
    fewer.load_state_dict(everything.state_dict())
    fixed = {path: (everything.answers(path)[-1],) for path in widths}
    rest = [path for path in everything.questions if path not in widths]
    weights = {path: torch.full((len(fewer.answers(path)),), 1 / len(fewer.answers(path))) for path in rest}
    wider = {
        path: torch.cat([each, each.new_zeros(len(everything.answers(path)) - len(each))])
        for path, each in weights.items()
    }
    x_BCHW = images(program)
    with torch.no_grad():
        found = fewer.outputs(x_BCHW, Decisions(fixed, weights))
        assert differ(found, everything.outputs(x_BCHW, Decisions(fixed, wider))) <= 1e-5
