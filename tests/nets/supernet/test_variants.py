"""Spaces that differ from the published ones in what papers leave open: other ops, cells, branches, structures."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch

import archdsl
from archdsl.nets.supernet import Decisions
from archdsl.relax import check
from archdsl.space import Program, QuestionKind
from archdsl.space.relax import open_questions
from archdsl.train.typed_torch import backward
from tests.nets.supernet.scrambled import differs_from_network, images, scrambled, uniform
from tests.nets.supernet.test_interpreter import is_plain_recursion
from tests.space.samples import sampled

TEXTS = sorted((Path(__file__).parent / "texts").glob("*.arch"))


@pytest.fixture(params=TEXTS, ids=lambda file: file.stem)
def program(request: pytest.FixtureRequest) -> Program:
    return archdsl.load(request.param).space


def test_one_hot_decisions_are_the_network(program: Program) -> None:
    net, random = scrambled(program), Random(8)
    for _ in range(3):
        answers, _ = sampled(program, random)
        assert differs_from_network(net, answers, images(program)) <= 1e-5


def test_soft_decisions_are_plain_recursion(program: Program) -> None:
    is_plain_recursion(program)


def test_every_logit_and_every_kernel_gets_a_gradient(program: Program) -> None:
    """All widths mixed, so of switchable batch norms those of the largest width."""
    assert check(program) is None
    net = scrambled(program).train()
    weights = uniform(net)
    outputs = net.outputs(images(program, 2), Decisions(weights=weights))
    backward(torch.stack([each.square().mean() for each in outputs.values()]).sum())
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.any() for each in weights.values())
    assert [name for name, each in net.named_parameters() if each.dim() > 1 and each.grad is None] == []
    met = open_questions(program, {}, searching=True)
    mixed = {path.question for path, each in met.items() if each.kind not in (QuestionKind.KEEP, QuestionKind.BRANCH)}
    assert {path.question for path in weights} == mixed


def test_a_report_says_what_it_runs(program: Program) -> None:
    (found,) = (file for file in TEXTS if file.stem == program.name)
    report = archdsl.load(found).supernet_report()
    assert sum(each.nodes for each in report.steps) > sum(each.count for each in report.steps) > 0
    assert report.estimate.tensors.stepped <= report.estimate.tensors.trained
    assert report.only_sampled is None
