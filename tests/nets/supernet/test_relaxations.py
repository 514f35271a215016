"""Distributions of weights and samples against their closed forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from archdsl.nets.supernet.relaxations import (
    anchor_distance,
    concentrations,
    dirichlet,
    drawn,
    gumbel,
    gumbel_hard,
    one_path,
    reinmax,
    softmax,
    uniform,
)
from archdsl.settings.relaxations import Method, Relaxation, Untrained, WithoutLogits
from archdsl.settings.schedules import Anneal, Moment
from archdsl.train.typed_torch import backward

LOGITS_N = torch.tensor([0.3, -0.7, 1.1, 0.0], dtype=torch.float64)
SAMPLES = 20_000
Sampler = Callable[[Tensor, float, Generator | None], Tensor]


def many(logits_N: Tensor = LOGITS_N, count: int = SAMPLES) -> Tensor:
    return logits_N.expand(count, -1)


def seeded(seed: int = 5) -> Generator:
    return torch.Generator().manual_seed(seed)


def chi_square(counts_N: Tensor, probabilities_N: Tensor) -> float:
    expected_N = probabilities_N * counts_N.sum()
    return float(((counts_N - expected_N).square() / expected_N).sum())


# The quantile 0.999 of chi-square with three degrees of freedom.
LIMIT = 16.27


def test_softmax_divides_by_the_temperature() -> None:
    weights_N = softmax(LOGITS_N[None], 0.5)[0]
    expected_N = (2 * LOGITS_N).exp()
    torch.testing.assert_close(weights_N, expected_N / expected_N.sum())


@pytest.mark.parametrize("sampler", [gumbel_hard, reinmax])
def test_hard_samples_have_the_probabilities_of_the_logits(sampler: Sampler) -> None:
    counts_N = sampler(many(), 1.0, seeded()).sum(0)
    assert counts_N.sum() == SAMPLES
    assert chi_square(counts_N, LOGITS_N.softmax(-1)) < LIMIT


def test_the_largest_gumbel_weight_has_the_probability_of_its_logit() -> None:
    counts_N = torch.bincount(gumbel(many(), 3.0, seeded()).argmax(-1), minlength=4)
    assert chi_square(counts_N.double(), LOGITS_N.softmax(-1)) < LIMIT


def test_a_low_temperature_makes_gumbel_weights_nearly_hard() -> None:
    assert gumbel(many(count=500), 1e-3, seeded()).amax(-1).mean() > 0.99
    assert gumbel(many(count=500), 100.0, seeded()).amax(-1).max() < 0.35


def test_one_path_samples_each_answer_alike() -> None:
    counts_N = torch.bincount(one_path(many(), seeded()), minlength=4).double()
    assert chi_square(counts_N, torch.full((4,), 0.25, dtype=torch.float64)) < LIMIT


def test_uniform_weights_are_equal() -> None:
    assert uniform(LOGITS_N[None]).equal(torch.full((1, 4), 0.25, dtype=torch.float64))


def test_the_moments_of_dirichlet_weights() -> None:
    """Mean c / sum(c), variance c (s - c) / (s^2 (s + 1))."""
    weights_QN = dirichlet(many(), seeded())
    torch.testing.assert_close(weights_QN.sum(-1), torch.ones(SAMPLES, dtype=torch.float64))
    c_N = concentrations(LOGITS_N)
    torch.testing.assert_close(c_N, torch.tensor([1.3, torch.e**-0.7, 2.1, 1.0], dtype=torch.float64))
    total = c_N.sum()
    variance_N = c_N * (total - c_N) / (total**2 * (total + 1))
    error_N = (weights_QN.mean(0) - c_N / total) / (variance_N / SAMPLES).sqrt()
    assert error_N.abs().max() < 4
    torch.testing.assert_close(weights_QN.var(0), variance_N, rtol=0.05, atol=0)


def test_the_pathwise_gradient_of_dirichlet_weights() -> None:
    """The mean gradient of a weight is that of its mean."""
    logits_N = LOGITS_N.clone().requires_grad_()
    backward(dirichlet(logits_N.expand(SAMPLES, -1), seeded())[:, 2].mean())
    assert logits_N.grad is not None
    exact_N = LOGITS_N.clone().requires_grad_()
    c_N = concentrations(exact_N)
    backward(c_N[2] / c_N.sum())
    assert exact_N.grad is not None
    torch.testing.assert_close(logits_N.grad, exact_N.grad, rtol=0.05, atol=2e-3)


def test_dirichlet_weights_of_very_low_logits_are_numbers() -> None:
    logits_QN = torch.tensor([[-50.0, -50.0, 3.0], [-50.0, -50.0, -50.0]], requires_grad=True)
    weights_QN = dirichlet(logits_QN, seeded())
    assert weights_QN.isfinite().all()
    backward(weights_QN[:, 0].sum())
    assert logits_QN.grad is not None and logits_QN.grad.isfinite().all()


def test_the_anchor_is_a_concentration_of_one() -> None:
    logits_QN = torch.tensor([[0.0, 2.0, -1.0]], dtype=torch.float64)
    expected = (concentrations(logits_QN) - 1).square().sum()
    torch.testing.assert_close(anchor_distance(logits_QN), expected)
    assert anchor_distance(torch.zeros(2, 3)) == 0


@pytest.mark.parametrize("sampler", [gumbel_hard, reinmax])
@pytest.mark.parametrize("temperature", [0.03, 1.0, 7.0])
def test_straight_through_is_exactly_one_hot(sampler: Sampler, temperature: float) -> None:
    logits_QN = 10 * torch.randn(500, 7, generator=seeded())
    weights_QN = sampler(logits_QN, temperature, seeded())
    assert ((weights_QN == 0) | (weights_QN == 1)).all()
    assert (weights_QN.sum(-1) == 1).all()


def test_the_gradient_of_gumbel_hard_is_that_of_gumbel() -> None:
    """With the same noise."""
    direction_QN = torch.randn(3, 4, generator=seeded(1), dtype=torch.float64)
    gradients: list[Tensor] = []
    for sampler in (gumbel, gumbel_hard):
        logits_QN = many(count=3).clone().requires_grad_()
        backward((direction_QN * sampler(logits_QN, 0.7, seeded())).sum())
        assert logits_QN.grad is not None
        gradients.append(logits_QN.grad)
    torch.testing.assert_close(*gradients)


def quadratic(seed: int) -> Callable[[Tensor], Tensor]:
    """A function of second degree, of vectors."""
    matrix_NN = torch.randn(4, 4, generator=seeded(seed), dtype=torch.float64)
    vector_N = torch.randn(4, generator=seeded(seed + 1), dtype=torch.float64)
    return lambda x_QN: ((x_QN @ matrix_NN) * x_QN).sum(-1) + x_QN @ vector_N


@pytest.mark.parametrize("seed", range(3))
def test_reinmax_is_exact_on_average_for_functions_of_second_degree(seed: int) -> None:
    """Each sample once, weighed by its probability, against the gradient of the expectation (theorem 3.2)."""
    function = quadratic(seed)
    exact_N = LOGITS_N.clone().requires_grad_()
    backward((exact_N.softmax(-1) * function(torch.eye(4, dtype=torch.float64))).sum())
    assert exact_N.grad is not None
    found: dict[int, Tensor] = {}
    generator = seeded(seed)
    while len(found) < 4:
        logits_N = LOGITS_N.clone().requires_grad_()
        weights_QN = reinmax(logits_N[None], 1.0, generator)
        backward(function(weights_QN).sum())
        assert logits_N.grad is not None
        found[int(weights_QN.argmax())] = logits_N.grad
    probabilities_N = LOGITS_N.softmax(-1)
    mean_N = torch.stack([probabilities_N[answer] * gradient_N for answer, gradient_N in found.items()]).sum(0)
    torch.testing.assert_close(mean_N, exact_N.grad, rtol=1e-10, atol=1e-12)


def test_reinmax_against_its_formula() -> None:
    """2 (D(middle) g) - 0.5 (D(p) g), D(p) = diag(p) - p p', at a temperature other than 1."""
    direction_N = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    logits_N = LOGITS_N.clone().requires_grad_()
    sample_QN = reinmax(logits_N[None], 2.0, seeded())
    backward((sample_QN[0] * direction_N).sum())

    def through(p_N: Tensor) -> Tensor:
        return p_N * direction_N - p_N * (p_N @ direction_N)

    middle_N = (sample_QN[0].detach() + (LOGITS_N / 2).softmax(-1)) / 2
    assert logits_N.grad is not None
    torch.testing.assert_close(logits_N.grad, 2 * through(middle_N) - through(LOGITS_N.softmax(-1)) / 2)


@pytest.mark.parametrize("sampler", [gumbel, gumbel_hard, reinmax])
def test_samples_are_reproduced_by_a_generator(sampler: Sampler) -> None:
    first, again, other = (sampler(many(count=50), 1.0, seeded(seed)) for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)
    assert dirichlet(many(count=5), seeded(1)).equal(dirichlet(many(count=5), seeded(1)))
    assert one_path(many(count=50), seeded(1)).equal(one_path(many(count=50), seeded(1)))


def test_a_temperature_has_its_value_at_the_moment() -> None:
    rule = Relaxation(Method.SOFTMAX, (), Anneal(4.0, 0.25))
    for done, temperature in ((0.0, 4.0), (0.5, 1.0), (1.0, 0.25)):
        found = drawn(rule, LOGITS_N[None], Moment(done, 0, 0), None)
        assert found.picked_Q is None
        assert found.weights_QN is not None
        torch.testing.assert_close(found.weights_QN, softmax(LOGITS_N[None], temperature))


def test_what_is_sampled_is_what_is_picked() -> None:
    for method in (Method.GUMBEL_HARD, Method.REINMAX):
        found = drawn(Relaxation(method, ()), many(count=20), Moment(0.0, 0, 0), seeded())
        assert found.weights_QN is not None and found.picked_Q is not None
        assert found.weights_QN.argmax(-1).equal(found.picked_Q)
    assert drawn(WithoutLogits(Untrained.ONE_PATH, ()), many(count=3), Moment(0.0, 0, 0), seeded()).weights_QN is None
