"""Gradients of a supernet: of logits and of weights, where questions are mixed and where answers weigh their maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.autograd import gradcheck
from torch.func import functional_call

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.weighted_sum import weighted_sum
from archdsl.space import QuestionPath
from archdsl.space.reach import Reach
from tests.nets.supernet.interpreter import module_of
from tests.nets.supernet.scrambled import images, scrambled
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn, program_of

OF_OTHER_WIDTH = re.compile(r"\.(weight|bias)_\d+_\d+$")
"""Tensors of a batch norm that stand for one width: where widths are mixed the layer runs with the largest."""
HEAD = """archdsl 1

op skip() {
  in x
  out x
}

cell own() {
  in x
  choose operator in {skip, conv(c = 3)} per branch
  out x -> operator
}

"""
SPACES = {
    "edges": "  x = image -> {conv(c = 3), conv(c = 3, k = 1)}\n  out y = sum(x -> {skip, avg_pool(k = 3)}, x)\n",
    "widths": (
        "  choose w in {1, 2, 4}\n  x = image -> conv(w) -> bn -> sigmoid\n"
        "  out y = concat(x, image) -> dwconv -> conv(2, k = 1)\n"
    ),
    "a case on a width": (
        "  choose w in {2, 3}\n  x = image -> conv(w)\n"
        "  out y = case channels(x) {\n    when 3: x\n    else: x -> conv(3)\n  }\n"
    ),
    "a chain with an exit": (
        "  t = chain(image) {\n    choose exit in {2, 3}\n    each own() * 3\n  }\n"
        "  out y = sum(t, t.prev -> conv(3))\n"
    ),
    "a window": "  choose k in {1, 3, 5}\n  out y = image -> conv(2, k = k)\n",
    "branches": (
        "  t = grid(i in 1..3, j in {1, 2, 3}) {\n    start [1][1] = image\n"
        "    choose source in {t[i - 1][j], t[i - 1][j - 1]} per branch\n    each own(source)\n  }\n"
        "  branches a, b in t[3]\n  out y = sum(concat({a.at(1), b.at(2)}) -> conv(3), b.last)\n"
    ),
}


def space(folder: Path, name: str) -> Supernet:
    return scrambled(program_of(folder, f"{HEAD}space net() {{\n  in image: 3x4x4\n{SPACES[name]}}}\n")).double()


def logits(net: Supernet) -> dict[QuestionPath, Tensor]:
    """One for each answer, branches' ends among them."""
    generator = torch.Generator().manual_seed(2)
    return {
        path: torch.randn(len(net.answers(path)), generator=generator, dtype=torch.float64).requires_grad_()
        for path in net.relaxer.everything.questions
    }


def is_right(net: Supernet, decisions: Callable[[dict[QuestionPath, Tensor]], Decisions]) -> bool:
    """Whether gradients of logits and weights are finite differences."""
    given, tensors = logits(net), dict(net.named_parameters())
    x_BCHW = images(net.program).double()

    def output(*values: Tensor) -> Tensor:
        by_question = dict(zip(given, values[: len(given)], strict=True))
        by_name = dict(zip(tensors, values[len(given) :], strict=True))
        return functional_call(net, by_name, (x_BCHW, decisions(by_question))).sigmoid()

    inputs = (*given.values(), *(each.detach().requires_grad_() for each in tensors.values()))
    return gradcheck(output, inputs, fast_mode=True)


@pytest.mark.parametrize("name", SPACES)
def test_gradients_of_soft_decisions_are_finite_differences(name: str, tmp_path: Path) -> None:
    net = space(tmp_path, name)
    assert is_right(net, lambda given: Decisions(weights={path: each.softmax(0) for path, each in given.items()}))


@pytest.mark.parametrize("name", SPACES)
def test_gradients_of_answers_that_weigh_their_maps_are_finite_differences(name: str, tmp_path: Path) -> None:
    """Of the weights: what makes them 1 going forward is the relaxation's."""
    net = space(tmp_path, name)
    answers = {path: (net.answers(path)[-1],) for path in net.relaxer.everything.questions}
    assert is_right(net, lambda given: Decisions(answers, {path: each.exp() for path, each in given.items()}))


@settings(max_examples=25)
@given(small_spaces())
def test_every_logit_and_every_weight_that_is_run_has_a_gradient(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    net = scrambled(drawn(tmp_path_factory.getbasetemp(), text)).train()
    given = {path: torch.zeros(len(net.answers(path)), requires_grad=True) for path in net.questions}
    decisions = Decisions(weights={path: each.softmax(0) for path, each in given.items()})
    x_BCHW = images(net.program, 2)
    (y_BCHW,) = net.outputs(x_BCHW, decisions).values()
    torch.autograd.backward((y_BCHW * torch.randn_like(y_BCHW)).sum())
    assert {str(path) for path, each in given.items() if each.grad is None or not each.grad.isfinite().all()} == set()
    flat = [path for path, each in given.items() if each.grad is not None and not each.grad.any()]
    assert {str(path) for path in flat if makes_a_difference(net, x_BCHW, path)} == set()
    without = {name for name, each in net.named_parameters() if each.grad is None or not each.grad.isfinite().all()}
    nodes = [net.program.nodes[index] for index in Reach(net.program).nodes]
    reached = {".".join(module_of(net.program, node)) for node in nodes}
    assert {name for name in without if not OF_OTHER_WIDTH.search(name) and name.rpartition(".")[0] in reached} == set()


def makes_a_difference(net: Supernet, x_BCHW: Tensor, path: QuestionPath) -> bool:
    """Whether another answer gives another output; places that share weights may be one function of the image."""
    even = {each: torch.full((len(net.answers(each)),), 1 / len(net.answers(each))) for each in net.questions}
    found: list[Tensor] = []
    with torch.no_grad():
        for only in torch.eye(len(net.answers(path))):
            (y_BCHW,) = net.outputs(x_BCHW, Decisions(weights={**even, path: only})).values()
            found.append(y_BCHW)
    return not all(torch.allclose(found[0], other, atol=1e-5) for other in found)


def test_a_weighted_sum_and_its_gradients_are_finite_differences_of_the_first_and_second_order() -> None:
    generator = torch.Generator().manual_seed(4)
    weights_N = torch.randn(3, generator=generator, dtype=torch.float64, requires_grad=True)
    maps = [torch.randn(2, 2, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    maps[1] = maps[1].detach().contiguous(memory_format=torch.channels_last).requires_grad_()

    def total(weights_N: Tensor, *maps_BCHW: Tensor) -> Tensor:
        return weighted_sum(weights_N, maps_BCHW)

    assert gradcheck(total, (weights_N, *maps))
    assert torch.autograd.gradgradcheck(total, (weights_N, *maps))
