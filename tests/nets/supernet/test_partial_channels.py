"""Mixed ops on a share of the channels: a narrow supernet, and what passes it by."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import archdsl
from archdsl.cost.expectation.measures import macs
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax.not_relaxable import NotRelaxable
from archdsl.relax.phases import questions_of
from archdsl.relax.relaxed import Partial
from archdsl.settings.relaxations import RELAXED, Method, PartialChannels, Relaxation
from archdsl.settings.schedules import Moment
from archdsl.space import QuestionKind, QuestionPath
from archdsl.train.typed_torch import backward

TEXT = """archdsl 1

use std

op expanded(c, s = 1) = conv(2 * c, k = 1) -> bn -> relu -> dwconv(k = 3, s = s) -> conv(c, k = 1) -> bn
op grouped(c, s = 1) = conv(c, s = s, groups = 4) -> bn

op zoomed(c) {
  in x
  half = x -> resize(1 / 2) -> conv(c) -> bn
  out half -> resize(like = x)
}

ops searched = {OPS}

cell edge(c) {
  in x
  choose operator in searched
  out x -> operator
}

cell sums(c) {
  in before, x
  x1..x2 = sum({before, x, earlier} -> {conv3x3, sep_conv3x3, max_pool3x3}, keep = 2)
  out x1 + x2
}

space one(c = 8) {
  in image: IMAGE
  out y = image -> edge(c = WRITES)
}

space two(c = 8) {
  in image: IMAGE
  stem = image -> conv(c, k = 1)
  out y = sums(image, stem, c = c)
}
"""
SAME = "conv3x3, identity, max_pool3x3, sep_conv3x3_x2, expanded, zoomed"
HALVED = "conv3x3(s = 2), identity(s = 2), avg_pool3x3(s = 2), factorized_reduce, expanded(s = 2)"


def supernet(folder: Path, ops: str, channels: int, space: str = "one", size: int = 16, writes: str = "c") -> Supernet:
    path = folder / f"{channels}_{len(ops)}_{size}.arch"
    path.write_text(TEXT.replace("OPS", ops).replace("IMAGE", f"{channels}x{size}x{size}").replace("WRITES", writes))
    net = Supernet(archdsl.load(f"{path}:{space}", overrides={"c": channels}).space)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for each in (*net.parameters(), *net.buffers()):
            each.uniform_(0.2, 1.0, generator=generator)
    return net.double()


def weights_of(net: Supernet) -> dict[QuestionPath, Tensor]:
    generator = torch.Generator().manual_seed(1)
    drawn = {
        path: torch.randn(len(net.answers(path)), generator=generator, dtype=torch.float64) for path in net.questions
    }
    return {path: each.softmax(-1) for path, each in drawn.items()}


def images(net: Supernet, channels: int, size: int = 16) -> Tensor:
    return torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def copied_slices(wide: Supernet, narrow: Supernet) -> None:
    """The first channels of each tensor."""
    found: Mapping[str, Tensor] = wide.state_dict()
    with torch.no_grad():
        for name, tensor in narrow.state_dict().items():
            tensor.copy_(found[name][tuple(slice(0, size) for size in tensor.shape)])


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(
    ("ops", "pooled", "size"),
    [(SAME, False, 16), (HALVED, True, 16), (HALVED.replace("factorized_reduce, ", ""), True, 15)],
)
def test_a_narrow_supernet_with_channels_that_pass_it_by(
    tmp_path: Path, ops: str, pooled: bool, size: int, training: bool
) -> None:
    """PC-DARTS: the ops on the first 1/k of the channels, the others as they are, all shuffled."""
    k, channels = 4, 16
    wide, narrow = (supernet(tmp_path, ops, each, size=size).train(training) for each in (channels, channels // k))
    copied_slices(wide, narrow)
    weights, x_BCHW = weights_of(wide), images(wide, channels, size)
    statistics = {name: buffer.clone() for name, buffer in wide.named_buffers()}
    with torch.no_grad():
        found = wide(x_BCHW, Decisions(weights=weights, partial=Partial(Fraction(1, k))))
        mixed = narrow(x_BCHW[:, : channels // k], Decisions(weights=weights))
    rest = x_BCHW[:, channels // k :]
    if pooled:
        rest = functional.max_pool2d(rest, 2, 2, ceil_mode=True)
    expected = functional.channel_shuffle(torch.cat([mixed, rest], 1), k)
    torch.testing.assert_close(found, expected)
    # Statistics are those of the narrow one too, and the other channels have theirs still.
    after = dict(wide.named_buffers())
    for name, buffer in narrow.named_buffers():
        torch.testing.assert_close(after[name][: len(buffer)], buffer)
        torch.testing.assert_close(after[name][len(buffer) :], statistics[name][len(buffer) :])


def test_all_channels_are_the_full_mix(tmp_path: Path) -> None:
    net = supernet(tmp_path, SAME, 8).eval()
    weights, x_BCHW = weights_of(net), images(net, 8)
    with torch.no_grad():
        full = net(x_BCHW, Decisions(weights=weights))
        whole = net(x_BCHW, Decisions(weights=weights, partial=Partial(Fraction(1))))
        half = net(x_BCHW, Decisions(weights=weights, partial=Partial(Fraction(1, 2))))
    assert full.equal(whole)
    assert not torch.allclose(full, half)


def test_every_logit_and_half_of_each_kernel_gets_a_gradient(tmp_path: Path) -> None:
    net = supernet(tmp_path, SAME, 8).eval()
    relax = (Relaxation(Method.SOFTMAX, RELAXED), PartialChannels(Fraction(1, 2)))
    logits = net.logits(questions_of(net.program, relax)).double()
    found = net.relaxation(logits).decide(Moment(0.0, 0, 0))
    assert found.partial == Partial(Fraction(1, 2))
    made = net(images(net, 8), found)
    assert isinstance(made, Tensor)
    backward(made.square().mean())
    assert all(each.grad is not None and (each.grad != 0).all() for each in logits.parameters())
    for name, each in net.named_parameters():
        assert each.grad is not None, name
        used = tuple(slice(0, size // 2) if size not in (1, 3) else slice(None) for size in each.shape)
        assert (each.grad[used] != 0).any(), name
        unused = each.grad.clone()
        unused[used] = 0
        assert (unused == 0).all(), name


def test_edges_are_weighed(tmp_path: Path) -> None:
    """Edge normalisation: what edges give to a sum is weighed by a softmax of their own."""
    net = supernet(tmp_path, SAME, 8, space="two").eval()
    program = net.program
    edges = {path: each for path, each in program.questions.items() if each.kind is QuestionKind.KEEP}
    ((path, question),) = edges.items()
    partial = Partial(Fraction(1, 2), frozenset(edges))
    weights, x_BCHW = weights_of(net), images(net, 8)

    def run(by: Mapping[QuestionPath, Tensor]) -> Tensor:
        with torch.no_grad():
            made = net(x_BCHW, Decisions(weights={**weights, **by}, partial=partial))
        assert isinstance(made, Tensor)
        return made

    given = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    assert len(question.answers) == 3
    parts = [run({path: each}) for each in torch.eye(3, dtype=torch.float64)]
    base = run({path: torch.zeros(3, dtype=torch.float64)})
    mixed = base + sum(weight * (part - base) for weight, part in zip(given, parts, strict=True))
    torch.testing.assert_close(run({path: given}), mixed)
    # With weights of 1 it is the plain sum.
    with torch.no_grad():
        plain = net(x_BCHW, Decisions(weights=weights, partial=Partial(Fraction(1, 2))))
    torch.testing.assert_close(run({path: torch.ones(3, dtype=torch.float64)}), plain)
    relax = (Relaxation(Method.SOFTMAX, RELAXED), PartialChannels(Fraction(1, 2), edge_normalisation=True))
    logits = net.logits(questions_of(program, relax))
    assert set(edges) < set(logits.vectors)
    decided = net.relaxation(logits).decide(Moment(0.0, 0, 0))
    assert decided.partial == partial
    assert float(decided.weights[path].detach().sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("ops", "channels", "writes", "share", "message"),
    [
        (
            "conv3x3, conv1x1",
            6,
            "c",
            Fraction(1, 4),
            r"`y.edge.operator` has 6 channels, of which 1 / 4 is no whole number",
        ),
        ("conv3x3, conv1x1", 8, "2 * c", Fraction(1, 2), r"`y.* reads 8 channels and writes 16"),
        ("conv3x3, grouped", 8, "c", Fraction(1, 4), r"`y.*conv.*groups"),
    ],
)
def test_what_cannot_be_partial_is_named(
    tmp_path: Path, ops: str, channels: int, writes: str, share: Fraction, message: str
) -> None:
    net = supernet(tmp_path, ops, channels, writes=writes)
    with pytest.raises(NotRelaxable, match=message):
        net(images(net, channels), Decisions(weights=weights_of(net), partial=Partial(share)))


def test_weighed_edges_cost_as_all_edges_do(tmp_path: Path) -> None:
    """Which inputs stay is decided when answers are derived."""
    net = supernet(tmp_path, SAME, 8, space="two")
    relax = (Relaxation(Method.SOFTMAX, RELAXED), PartialChannels(Fraction(1, 2), edge_normalisation=True))
    decided = net.relaxation(net.logits(questions_of(net.program, relax))).decide(Moment(0.0, 0, 0))
    assert decided.partial is not None and decided.partial.edges
    counted = Expectation.of(Work.of(net.program, ops=False), macs)
    ops = {path: each for path, each in decided.weights.items() if path not in decided.partial.edges}
    assert net.expected_cost(counted, decided) == net.expected_cost(counted, Decisions(weights=ops))
