"""The dominant eigenvalue of a loss by logits, against whole Hessians."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.relax.checkpoints import Budget
from archdsl.relax.phases import questions_of
from archdsl.relax.plan import unplanned
from archdsl.search.robustness.eigenvalue import NotMeasured, dominant_eigenvalue, eigenvalue_of
from archdsl.search.undisturbed import undisturbed
from archdsl.settings.relaxations import Method, Mixing, Relaxation
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.train.typed_torch import eigenvectors, manual_seed
from tests.train.commands import finished

TEXT = """archdsl 1

use std

cell node(c) {
  in x
  choose operator in {conv3x3, sep_conv3x3, identity, max_pool3x3}
  choose width in {4, 8}
  out x -> operator -> conv3x3(width) -> conv1x1(c)
}

space net() {
  in image: 3x8x8
  stem = image -> conv3x3(8)
  trunk = hyper(stem, stem) {
    each node(c = 8) * 3
  }
  out logits = trunk -> conv(5, k = 1)
}
"""
OPERATOR, WIDTH, EXIT = QuestionKind.OPERATOR, QuestionKind.WIDTH, QuestionKind.EXIT
SOFT = (Relaxation(Method.SOFTMAX, (OPERATOR, EXIT, WIDTH)),)
ALL = slice(None)
Vectors = Mapping[QuestionPath, Tensor]


def paths(count: int) -> list[QuestionPath]:
    return [QuestionPath((), f"q{number}") for number in range(count)]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def split(x_L: Tensor, sizes: list[int]) -> list[Tensor]:
    return list(torch.split(x_L, sizes))


def quartic(matrix_LL: Tensor) -> Callable[[Vectors], Tensor]:
    def loss(vectors: Vectors) -> Tensor:
        x_L = torch.cat(list(vectors.values()))
        return x_L @ matrix_LL @ x_L / 2 + (x_L**4).sum() / 10

    return loss


def largest(hessian_LL: Tensor) -> float:
    return float(np.linalg.eigvalsh(hessian_LL.numpy())[-1])


@settings(max_examples=12)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 1_000), st.floats(-3, 3))
def test_few_logits_are_exact(sizes: list[int], seed: int, shift: float) -> None:
    """Also where the eigenvalue of the largest size is negative."""
    count = sum(sizes)
    half_LL = drawn(seed, count, count)
    matrix_LL = half_LL + half_LL.T + shift * torch.eye(count, dtype=torch.float64)
    logits = dict(zip(paths(len(sizes)), split(drawn(seed + 1, count), sizes), strict=True))
    x_L = torch.cat(list(logits.values()))
    expected = largest(matrix_LL + torch.diag(1.2 * x_L**2))
    found = dominant_eigenvalue(quartic(matrix_LL), logits, seed=seed, steps=count, tolerance=0)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_many_logits_take_few_steps(seed: int) -> None:
    """Of a spectrum with a gap, as those of losses have; one eigenvalue below zero is twice the size of the largest."""
    count = 300
    half_LL = drawn(seed, count, count)
    basis_LL = eigenvectors(half_LL + half_LL.T)[1]
    spectrum_L = torch.cat([torch.tensor([-10.0, 5.0], dtype=torch.float64), 0.5 * drawn(seed + 1, count - 2)])
    matrix_LL = basis_LL @ torch.diag(spectrum_L) @ basis_LL.T
    logits = dict(zip(paths(60), split(torch.zeros(count, dtype=torch.float64), [5] * 60), strict=True))
    assert dominant_eigenvalue(quartic(matrix_LL), logits, seed=seed) == pytest.approx(5.0, rel=0.01)


def test_noise_is_that_of_the_seed_and_torch_s_own_goes_on() -> None:
    logits = {paths(1)[0]: torch.zeros(4, dtype=torch.float64)}

    def loss(vectors: Vectors) -> Tensor:
        (x_L,) = vectors.values()
        return (torch.rand(4, dtype=torch.float64) * x_L**2).sum()

    manual_seed(3)
    expected = torch.rand(2)
    manual_seed(3)
    found = [dominant_eigenvalue(loss, logits, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(2), expected)
    assert found[0] == found[1] != found[2]
    manual_seed(0)
    assert found[0] == pytest.approx(2 * float(torch.rand(4, dtype=torch.float64).max()), rel=1e-9)


def test_logits_that_the_loss_does_not_read_are_no_part_of_it() -> None:
    first, second = paths(2)
    logits = {first: torch.zeros(3, dtype=torch.float64), second: torch.ones(3, dtype=torch.float64)}
    assert dominant_eigenvalue(lambda vectors: -(vectors[second] ** 2).sum(), logits) == pytest.approx(-2)
    assert dominant_eigenvalue(lambda vectors: vectors[first].sum(), logits) == 0
    assert dominant_eigenvalue(lambda _: torch.zeros(()), logits) == 0


def test_derivatives_that_are_not_finite_are_refused() -> None:
    logits = {paths(1)[0]: torch.zeros(3)}
    with pytest.raises(NotMeasured, match="NaN or infinite"):
        dominant_eigenvalue(lambda vectors: torch.cat(list(vectors.values())).sqrt().sum(), logits)


# Supernets --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path: Path = tmp_path_factory.mktemp("eigenvalue") / "net.arch"
    path.write_text(TEXT, encoding="utf-8")
    return archdsl.load(path).space


def filled(net: Supernet) -> Supernet:
    with torch.no_grad():
        for number, each in enumerate(net.parameters()):
            each.copy_(0.5 * drawn(number, *each.shape))
    return net


def loss_of(net: Supernet, dtype: torch.dtype, mine: slice = ALL) -> Callable[[Decisions], Tensor]:
    x_BCHW = drawn(1, 4, 3, 8, 8).to(dtype)
    labels_BHW = torch.arange(4 * 64).reshape(4, 8, 8) % 5

    def loss(decisions: Decisions) -> Tensor:
        return functional.cross_entropy(net.outputs(x_BCHW[mine], decisions)["logits"], labels_BHW[mine])

    return loss


def second_derivatives(function: Callable[[Tensor], Tensor], at_L: Tensor) -> Tensor:
    x_L = at_L.clone().requires_grad_()
    (gradient_L,) = torch.autograd.grad(function(x_L), x_L, create_graph=True)
    return torch.stack([torch.autograd.grad(each, x_L, retain_graph=True)[0] for each in gradient_L])


@pytest.mark.parametrize("training", [True, False])
def test_a_supernet_against_its_whole_hessian(program: Program, training: bool) -> None:
    """By torch's second derivatives of one that runs node by node in double precision; measured as it is searched."""
    asked = questions_of(program, SOFT)
    plain = filled(Supernet(program, plan=unplanned).double()).train(training)
    logits = plain.logits(asked, scale=1.0, seed=3).double()
    relaxation, loss = plain.relaxation(logits), loss_of(plain, torch.float64)
    sizes = [vector.numel() for vector in logits.vectors.values()]

    def of_all(x_L: Tensor) -> Tensor:
        return loss(relaxation.expected(logits=dict(zip(logits.vectors, split(x_L, sizes), strict=True))))

    with undisturbed(plain):
        whole_L = torch.cat([vector.detach() for vector in logits.vectors.values()])
        expected = largest(second_derivatives(of_all, whole_L))
    assert expected > 1e-3
    fused = filled(Supernet(program)).train(training)
    single = fused.logits(asked, scale=1.0, seed=3)
    found = eigenvalue_of(fused, fused.relaxation(single), loss_of(fused, torch.float32))
    assert found == pytest.approx(expected, rel=0.01)


def test_a_supernet_that_computes_again_or_runs_compiled(program: Program) -> None:
    """Inside, it does neither; behind, it does."""
    asked = questions_of(program, SOFT)
    plain, small = filled(Supernet(program)), filled(Supernet(program, memory=Budget(200_000, 4)))
    before = small.checkpoints
    assert before is not None
    assert before.cells
    logits = plain.logits(asked, scale=1.0)
    expected = eigenvalue_of(plain, plain.relaxation(logits), loss_of(plain, torch.float32))
    assert eigenvalue_of(small, small.relaxation(logits), loss_of(small, torch.float32)) == expected
    assert small.checkpoints is before
    plain.compile_structure(plain.relaxation(logits).expected().structure)
    assert eigenvalue_of(plain, plain.relaxation(logits), loss_of(plain, torch.float32)) == expected


def test_a_supernet_is_as_it_was(program: Program) -> None:
    net = filled(Supernet(program)).train()
    net.accumulate_in_slices()
    logits = net.logits(questions_of(program, SOFT), scale=1.0)
    frozen = next(net.parameters())
    frozen.requires_grad_(False)
    before = {name: each.clone() for name, each in net.state_dict().items()}
    first = eigenvalue_of(net, net.relaxation(logits), loss_of(net, torch.float32), seed=4)
    assert dict.fromkeys(before, True) == {
        name: torch.equal(each, before[name]) for name, each in net.state_dict().items()
    }
    assert [each.requires_grad for each in net.parameters()] == [each is not frozen for each in net.parameters()]
    assert all(each.grad is None for each in (*net.parameters(), *logits.parameters()))
    assert eigenvalue_of(net, net.relaxation(logits), loss_of(net, torch.float32), seed=4) == first


def test_statistics_are_put_back_also_behind_a_failure() -> None:
    net = nn.BatchNorm2d(3)

    def fails() -> None:
        with undisturbed(net):
            net(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(1)))
            assert not any(each.requires_grad for each in net.parameters())
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fails()
    assert torch.equal(net.running_mean if net.running_mean is not None else torch.ones(3), torch.zeros(3))
    assert all(each.requires_grad for each in net.parameters())


def test_neither_noise_nor_a_temperature_makes_a_difference(program: Program) -> None:
    """Eigenvalues of two epochs compare while a temperature falls; widths of which one is run are no part of them."""
    net = filled(Supernet(program))

    def found(*relax: Mixing) -> float:
        logits = net.logits(questions_of(program, relax), scale=1.0)
        return eigenvalue_of(net, net.relaxation(logits), loss_of(net, torch.float32))

    hard = Relaxation(Method.GUMBEL_HARD, (WIDTH,))
    plain = found(Relaxation(Method.SOFTMAX, (OPERATOR, EXIT)), hard)
    assert found(Relaxation(Method.GUMBEL, (OPERATOR, EXIT)), hard) == plain
    assert plain != found(*SOFT)


@pytest.mark.slow
def test_two_processes_measure_what_one_does(tmp_path: Path) -> None:
    """Each with half of the batch, whose statistics are those of all of it: real processes, started by torchrun."""
    text = tmp_path / "net.arch"
    text.write_text(TEXT, encoding="utf-8")
    worker = ["tests/search/robustness/gloo_worker.py", str(text)]
    for command in ([], ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]):
        done = finished([sys.executable, *command, *worker])
        assert done.returncode == 0, done.stderr[-3000:]
    alone, first, second = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("rank0of1", "rank0of2", "rank1of2")
    )
    assert first == second == pytest.approx(alone, rel=1e-4)
