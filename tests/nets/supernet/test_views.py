"""Ways to join branches: each alone, each pair of ends, branches that are left out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax.relaxed import View
from archdsl.space import Branch
from tests.nets.supernet.scrambled import differ, images, scrambled, uniform
from tests.pipeline.spaces import SMALL, loaded

FASTERSEG = next(case for case in SMALL if str(case) == "fasterseg")


@pytest.fixture(scope="module")
def net() -> Supernet:
    return scrambled(loaded(FASTERSEG).program)


def branches(net: Supernet) -> tuple[Branch, Branch]:
    a, b = net.program.branches
    return a, b


def ends(net: Supernet) -> Mapping[Branch, tuple[str, ...]]:
    return {branch: net.program.questions[branch.end].answers for branch in net.program.branches}


def of_view(outputs: Mapping[str, Tensor], view: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{view}."): each for name, each in outputs.items() if name.startswith(f"{view}.")}


def test_several_views_are_each_of_them_alone(net: Supernet) -> None:
    a, b = branches(net)
    views = [View("alone", ((b, None),)), View("other", ((a, None),)), View("pair", ((a, "8"), (b, "32")))]
    decisions = Decisions(weights=uniform(net))
    x_BCHW = images(net.program)
    with torch.no_grad():
        together = net.outputs(x_BCHW, decisions.seen(*views))
        assert {name.partition(".")[0] for name in together} == {"alone", "other", "pair"}
        for view in views:
            single = net.outputs(x_BCHW, decisions.seen(view))
            assert differ(of_view(together, view.name), of_view(single, view.name)) <= 1e-5


def test_a_pair_of_ends_is_that_of_answers(net: Supernet) -> None:
    a, b = branches(net)
    decisions = Decisions(weights=uniform(net))
    x_BCHW = images(net.program)
    with torch.no_grad():
        for one, other in (("8", "16"), ("16", "32")):
            seen = net.outputs(x_BCHW, decisions.seen(View("v", ((a, one), (b, other)))))
            answered = net.outputs(x_BCHW, Decisions({a.end: (one,), b.end: (other,)}, decisions.weights))
            assert differ(of_view(seen, "v"), answered) <= 1e-5


def test_a_branch_that_is_left_out_reaches_no_output(net: Supernet) -> None:
    a, b = branches(net)
    weights = uniform(net)
    x_BCHW = images(net.program)
    ends = {a.end: ("16",), b.end: ("32",)}
    # Cells that `b` alone passes: those of its own resolution.
    of_b = [path for path in weights if path.scope and path.scope[-1].indices[1:] == (32,)]
    shifted = {path: each.roll(1) + 0.1 if path in of_b else each for path, each in weights.items()}
    assert of_b
    with torch.no_grad():
        one, other = (
            net.outputs(x_BCHW, Decisions(ends, each, views=(View("v", ((b, None),)), View())))
            for each in (weights, shifted)
        )
    assert torch.equal(one["v.logits"], other["v.logits"])
    assert not torch.allclose(one["logits"], other["logits"])


def test_ends_of_weight_1_are_answers(net: Supernet) -> None:
    a, b = branches(net)
    weights = uniform(net)
    x_BCHW = images(net.program)
    chosen = {a: ("8",), b: ("32",)}
    sure = {
        branch.end: torch.tensor([float(each == chosen[branch][0]) for each in ends(net)[branch]]) for branch in (a, b)
    }
    with torch.no_grad():
        mixed = net.outputs(x_BCHW, Decisions(weights={**weights, **sure}))
        answered = net.outputs(x_BCHW, Decisions({branch.end: end for branch, end in chosen.items()}, weights))
    # Auxiliary heads are as wide as what they read, which is less where one branch alone passes a resolution.
    assert differ({"logits": mixed["logits"]}, {"logits": answered["logits"]}) <= 1e-5
