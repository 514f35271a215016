"""The plan of a supernet's evaluation against the evaluation of each node by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.convolutions import Window, gradients
from archdsl.nets.supernet.weighted_sum import stacked_sum, weighted_sum
from archdsl.relax.plan import Alike, Plan, Sum, describe, keeping, planned, sources_of, unplanned
from archdsl.relax.relaxed import RelaxedGraph
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.train.typed_torch import backward
from tests.nets.supernet.scrambled import images, scrambled
from tests.nets.supernet.test_one_hot import ASKING
from tests.pipeline.spaces import Case, loaded
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.properties.wide_spaces import wide_spaces

TRAINING, EVALUATING = True, False
_FEWER = {
    "auto_deeplab": (("f", "2"), ("layers", "4")),
    "autortnet": (("f", "2"), ("cells", "2")),
}
SPACES = tuple(
    replace(case, parameters=_FEWER.get(str(case), case.parameters)) for case in ASKING if str(case) != "cas_backbone"
)
"""Small enough for gradients of all weights; `cas` has the cells of its backbone."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan")


@pytest.mark.parametrize("case", SPACES, ids=str)
def test_a_plan_gives_the_outputs_gradients_and_statistics_of_plain_evaluation(case: Case) -> None:
    are_equal(loaded(case).program, mode=TRAINING)


@pytest.mark.parametrize("case", SPACES, ids=str)
def test_a_plan_that_keeps_every_map_is_plain_evaluation(case: Case) -> None:
    are_equal(loaded(case).program, mode=TRAINING, plan=keeping)


@settings(max_examples=20)
@given(small_spaces())
def test_a_plan_is_plain_evaluation_in_spaces_that_nobody_wrote(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    for keeps in (False, True):
        are_equal(program, mode=TRAINING, plan=partial(planned, keeps_maps=keeps))


@settings(max_examples=20)
@given(wide_spaces())
def test_a_plan_is_plain_evaluation_where_widths_are_searched(folder: Path, text: str) -> None:
    are_equal(drawn(folder, text), mode=EVALUATING)


@pytest.mark.parametrize("keeps", [False, True], ids=["again", "kept"])
def test_under_autocast_a_plan_is_as_near_to_fp32_as_plain_evaluation(keeps: bool, tmp_path: Path) -> None:
    text = tmp_path / "large.arch"
    text.write_text(LARGE, encoding="utf-8")
    program = archdsl.load(text).space

    def gradients_of(plan: Callable[[RelaxedGraph], Plan], *, lower: bool) -> Tensor:
        net = scrambled(program, plan=plan).train()
        weights = {path: torch.full((len(net.answers(path)),), 0.5) for path in net.questions}
        with torch.autocast("cpu", torch.bfloat16, enabled=lower):
            loss = net.outputs(images(program, count=2), Decisions({}, weights))["logits"].square().mean()
        backward(loss)
        return torch.cat([gradient(each).flatten() for each in net.parameters()])

    exact = gradients_of(unplanned, lower=False)
    plain = gradients_of(unplanned, lower=True)
    fused = gradients_of(partial(planned, keeps_maps=keeps), lower=True)
    assert 0 < float((fused - exact).square().sum()) <= 2 * float((plain - exact).square().sum())


LARGE = """archdsl 1

use std

op deep(c) {
  in x
  out x -> conv(c) -> bn -> relu -> conv(c) -> bn
}

op wide() {
  in x
  out x -> relu -> dwconv(k = 5) -> bn
}

space large(c = 128) {
  in image: 3x8x8
  stem = image -> conv3x3(c, s = 2)
  y = stem -> {conv3x3(c = c), deep(c = c)}
  z = y -> {wide, deep(c = c)}
  out logits = z -> conv(5, k = 1)
}
"""
"""With layers that have gradients of their own: large kernels that few places read, and a wide depthwise one."""


def are_equal(program: Program, *, mode: bool, plan: Callable[[RelaxedGraph], Plan] = planned) -> None:
    plain, fused = scrambled(program, plan=unplanned), scrambled(program, plan=plan)
    for net in (plain, fused):
        net.double().train(mode)
    all_close(everything(fused), everything(plain))


def all_close(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    largest = max(float(each.abs().max()) for each in wanted.values())
    for name, each in wanted.items():
        # A bias before a batch norm has no gradient: there both are rounding errors.
        limit = 1e-8 * float(each.abs().max()) + 1e-13 * largest
        assert float((found[name] - each).abs().max()) <= limit, name


def everything(net: Supernet) -> dict[str, Tensor]:
    """Outputs, gradients of logits and weights, and running statistics of one pass."""
    generator = torch.Generator().manual_seed(2)
    decisions, weights = half_sampled(net)
    outputs = net.outputs(images(net.program, count=2).double(), decisions)
    loss = torch.stack([(each * torch.randn(each.shape, generator=generator)).mean() for each in outputs.values()])
    backward(loss.sum())
    found = {f"output {name}": each.detach() for name, each in outputs.items()}
    found |= {f"logits {path}": gradient(each) for path, each in weights.items()}
    found |= {f"gradient {name}": gradient(each) for name, each in net.named_parameters()}
    return found | {f"statistics {name}": each for name, each in net.named_buffers()}


def half_sampled(net: Supernet) -> tuple[Decisions, dict[QuestionPath, Tensor]]:
    """Decisions that mix all but widths, which are sampled; and the logits that they are made of."""
    generator = torch.Generator().manual_seed(3)
    logits = {path: torch.randn(len(net.answers(path)), generator=generator).double() for path in net.questions}
    leaves: dict[QuestionPath, Tensor] = {path: each.requires_grad_() for path, each in logits.items()}
    sampled = {
        path: (net.answers(path)[int(each.argmax())],)
        for path, each in logits.items()
        if net.program.questions[path].kind is QuestionKind.WIDTH
    }
    return Decisions(sampled, {path: each.softmax(0) for path, each in leaves.items()}), leaves


def gradient(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def test_the_architecture_step_computes_the_gradients_of_logits_alone() -> None:
    case = next(case for case in ASKING if str(case) == "darts")
    net = scrambled(loaded(case).program).train().requires_grad_(False)
    weights = {path: torch.rand(len(net.answers(path))).requires_grad_() for path in net.questions}
    every = net(images(net.program, count=2), Decisions(weights=weights))
    assert isinstance(every, Tensor)
    backward(every.square().sum())
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in weights.values())
    assert all(each.grad is None for each in net.parameters())


def test_a_plan_is_a_table_of_its_steps() -> None:
    case = next(case for case in ASKING if str(case) == "darts")
    net = scrambled(loaded(case).program)
    plan = net.evaluation(Decisions().structure).plan
    rows = describe(plan)
    assert sum(row.count for row in rows) == len(plan.steps)
    assert any(isinstance(step, Alike) for step in plan.steps)
    sums = [step for step in plan.steps if isinstance(step, Sum)]
    inner = {layer for step in sums for term in step.terms for layer in term.layers if layer != step.node}
    assert not inner & {source for step in plan.steps for source in sources_of(step, plan.graph)}
    assert plan.channels_last


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last], ids=["first", "last"])
def test_a_stacked_sum_is_the_sum_of_its_terms(order: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(2, 4, 3, 5, generator=generator).double().contiguous(memory_format=order) for _ in range(3)]
    leaves = [torch.rand(3, generator=generator).double(), *maps]
    found: list[list[Tensor]] = []
    for add in (stacked_sum, weighted_sum):
        weights_N, *terms = [each.clone().requires_grad_() for each in leaves]
        total = add(weights_N, terms)
        backward(total.square().sum())
        assert total.is_contiguous(memory_format=order)
        found.append([total.detach(), *map(gradient, (weights_N, *terms))])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("window", [2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("size", [(9, 12), (8, 7)])
def test_gradients_of_depthwise_convolutions(window: int, stride: int, dilation: int, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(4)
    for padding in {0, dilation * (window - 1) // 2}:
        conv = nn.Conv2d(320, 320, window, stride, padding, dilation, groups=320).double()
        x_BCHW = torch.randn(2, 320, *size, generator=generator).double().requires_grad_()
        if min(size) + 2 * padding <= dilation * (window - 1):
            continue
        y_BCHW = conv(x_BCHW)
        grad_BCHW = torch.randn(y_BCHW.shape, generator=generator).double()
        assert conv.bias is not None
        wanted = torch.autograd.grad(y_BCHW, (x_BCHW, conv.weight, conv.bias), grad_BCHW)
        moves = Window((stride, stride), (padding, padding), (dilation, dilation), 320)
        found = gradients(grad_BCHW, x_BCHW.detach(), conv.weight.detach(), moves, (True, True, True))
        for mine, theirs in zip(found, wanted, strict=True):
            assert mine is not None
            torch.testing.assert_close(mine, theirs)
