"""What a supernet computes where questions are open, held against the networks that their answers give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.space import QuestionPath
from tests.nets.supernet.scrambled import differ, images, scrambled
from tests.properties.affine_spaces import affine_spaces
from tests.properties.test_small_spaces import drawn

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
    net = scrambled(drawn(folder, text)).double()
    assume(math.prod(len(net.answers(path)) for path in net.questions) <= MOST)
    weights = {path: each / each.sum() for path, each in probabilities(net).items()}
    x_BCHW = images(net.program).double()
    with torch.no_grad():
        found = net(x_BCHW, Decisions(weights=weights))
        mean = torch.zeros_like(found)
        for answers in each_answer(net):
            chances = [weights[path][net.answers(path).index(answer)] for path, (answer,) in answers.items()]
            mean += math.prod(chances) * net(x_BCHW, Decisions(answers))
    assert differ({"y": found}, {"y": mean}) <= 1e-9
