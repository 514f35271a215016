"""Structures that `torch.compile` compiles, against the evaluation of each node by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax.checkpoints import Budget
from archdsl.relax.estimate import estimate
from archdsl.relax.plan import unplanned
from archdsl.space import Program, QuestionKind
from archdsl.train.typed_torch import backward
from tests.nets.supernet.scrambled import images, scrambled
from tests.nets.supernet.test_plan import SPACES, all_close, everything, half_sampled
from tests.pipeline.spaces import Case, loaded

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch hides it, where it is no error
WHOLE: Final = {"backend": "aot_eager"}
"""Forward and backward passes become graphs, which are run as they are."""
TINY: Final = """\
archdsl 1

use std

op pooled() = max_pool(k = 3) -> bn(affine = no)

cell mixed(c) {
  in x
  x1..x2 = sum({x, earlier} -> {conv3x3(c = c), sep_conv3x3(c = c), pooled}, keep = 1)
  out sum(x1, x2)
}

space tiny() {
  in image: 3x8x8
  stem = image -> conv3x3(8)
  choose width in {4, 8}
  wide = stem -> conv(width, k = 1) -> bn -> conv(8)
  trunk = wide -> mixed(c = 8)
  out logits = trunk -> resize(2) -> dropout(p = 0) -> global_avg_pool -> linear(5)
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    file = tmp_path_factory.mktemp("compiled") / "tiny.arch"
    file.write_text(TINY, encoding="utf-8")
    return archdsl.load(file).space


@pytest.fixture(autouse=True)
def forgotten() -> None:
    torch.compiler.reset()


def drawn(net: Supernet, seed: int) -> Decisions:
    generator = torch.Generator().manual_seed(seed)
    draws = {path: torch.randn(len(net.answers(path)), generator=generator) for path in net.questions}
    return Decisions(weights={path: each.double().softmax(0).requires_grad_() for path, each in draws.items()})


def test_what_is_compiled_gives_outputs_gradients_and_statistics_of_plain_evaluation(program: Program) -> None:
    are_equal(program)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in SPACES if str(case) in {"darts", "nasbench201"}], ids=str)
def test_what_is_compiled_is_plain_evaluation_in_published_spaces(case: Case) -> None:
    are_equal(loaded(case).program)


def are_equal(program: Program) -> None:
    plain, compiled = scrambled(program, plan=unplanned), scrambled(program)
    for net in (plain, compiled):
        net.double().train()
    decisions, _ = half_sampled(compiled)
    compiled.compile_structure(decisions.structure, **WHOLE)
    all_close(everything(compiled), everything(plain))


@pytest.mark.slow
def test_steps_with_other_weights_compile_nothing_again(program: Program) -> None:
    net = scrambled(program).double().train()
    net.compile_structure(Decisions().structure, **WHOLE)
    x_BCHW = images(program, count=2).double()
    losses = steps(net, x_BCHW, 1)
    with torch.compiler.set_stance("fail_on_recompile"):
        losses += steps(net, x_BCHW, 3)
    plain = scrambled(program, plan=unplanned).double().train()
    torch.testing.assert_close(torch.stack(losses), torch.stack(steps(plain, x_BCHW, 1) + steps(plain, x_BCHW, 3)))


def steps(net: Supernet, x_BCHW: Tensor, count: int) -> list[Tensor]:
    """The losses of weight steps and architecture steps, each with decisions of its own."""
    losses: list[Tensor] = []
    for step in range(count):
        for trains_weights in (True, False):
            net.requires_grad_(trains_weights)
            found = net(x_BCHW, drawn(net, step))
            assert isinstance(found, Tensor)
            loss = found.square().sum()
            backward(loss)
            losses.append(loss.detach())
            with torch.no_grad():
                for parameter in net.parameters():
                    if parameter.grad is not None:
                        parameter.sub_(parameter.grad, alpha=1e-3)
                        parameter.grad = None
    return losses


def test_other_structures_run_as_before(program: Program) -> None:
    net = scrambled(program).double()
    width = next(path for path in net.questions if program.questions[path].kind is QuestionKind.WIDTH)
    soft = drawn(net, 0)
    compiled: list[int] = []
    net.compile_structure(soft.structure, backend=counting(compiled))
    x_BCHW = images(program).double()
    for answer in net.answers(width):
        net(x_BCHW, Decisions({width: (answer,)}, soft.weights))
    assert not compiled
    net(x_BCHW, soft)
    assert len(compiled) == 1


def test_what_is_compiled_follows_the_mode_and_the_tensors_of_the_supernet(program: Program) -> None:
    net, plain = scrambled(program).train(), scrambled(program, plan=unplanned).train()
    for each in (net, plain):
        each.accumulate_in_slices()
    decisions = Decisions(weights={path: each.detach().float() for path, each in drawn(net, 0).weights.items()})
    net.compile_structure(decisions.structure, backend="eager")
    x_BCHW = images(program, count=2)
    torch.testing.assert_close(net(x_BCHW, decisions), plain(x_BCHW, decisions))
    for each in (net, plain):
        each.double().eval()  # buffers are other tensors afterwards
    soft = drawn(net, 1)
    torch.testing.assert_close(net(x_BCHW.double(), soft), plain(x_BCHW.double(), soft))


def test_what_computes_maps_again_is_not_compiled(program: Program) -> None:
    net = Supernet(program)
    found = estimate(net.relaxer, batch=2)
    again = Supernet(program, memory=Budget(found.step_bytes - 1, 2))
    with pytest.raises(ValueError, match="build the supernet without `memory`"):
        again.compile_structure(Decisions().structure)


def counting(compiled: list[int]) -> Callable[[nn.Module, list[Any]], Callable[..., Any]]:
    """A backend that notes how many operations the graphs have that it is given."""

    def compile_graph(graph: Any, _: list[Any]) -> Callable[..., Any]:
        compiled.append(len(graph.graph.nodes))
        return graph.forward

    return compile_graph
