"""Losses against torch and against what they say in words."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from archdsl.settings.losses import Bootstrapped, CrossEntropy, Direction, Distillation, Loss, Mean, Ohem
from archdsl.train.losses import IGNORE, divergence, loss_of, median_frequency_weights
from archdsl.train.typed_torch import backward

SEEDS = st.integers(0, 10_000)


def batch(seed: int, classes: int = 4, ignored: float = 0.2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, classes, 6, 5, generator=generator) * 3
    labels = torch.randint(classes, (2, 6, 5), generator=generator)
    labels[torch.rand(2, 6, 5, generator=generator) < ignored] = IGNORE
    return logits, labels.to(torch.uint8)


@given(SEEDS, st.floats(0, 0.5))
@settings(max_examples=30)
def test_cross_entropy_is_that_of_torch(seed: int, smoothing: float) -> None:
    logits, labels = batch(seed)
    expected = nn.functional.cross_entropy(logits, labels.long(), ignore_index=IGNORE, label_smoothing=smoothing)
    assert torch.allclose(loss_of(CrossEntropy(label_smoothing=smoothing), logits, labels), expected, rtol=1e-5)


@given(SEEDS)
@settings(max_examples=30)
def test_class_weights_are_those_of_torch(seed: int) -> None:
    logits, labels = batch(seed)
    weights = torch.rand(4, generator=torch.Generator().manual_seed(seed)) + 0.1
    expected = nn.functional.cross_entropy(logits, labels.long(), weight=weights, ignore_index=IGNORE)
    assert torch.allclose(loss_of(CrossEntropy(), logits, labels, weights), expected, rtol=1e-5)


@given(SEEDS, st.floats(0.05, 0.95), st.floats(0.01, 1.0))
@settings(max_examples=50)
def test_hard_examples_are_those_below_the_threshold_or_the_hardest(seed: int, threshold: float, keep: float) -> None:
    logits, labels = batch(seed)
    losses = nn.functional.cross_entropy(logits, labels.long(), ignore_index=IGNORE, reduction="none")
    labelled = losses[labels != IGNORE].sort(descending=True).values
    below = labelled[(-labelled).exp() <= threshold]
    wanted = min(max(1, int(keep * labels.numel())), labelled.numel())
    expected = below if len(below) >= wanted else labelled[:wanted]
    assert torch.allclose(loss_of(Ohem(threshold, keep), logits, labels), expected.mean(), rtol=1e-4)


@given(SEEDS, st.sampled_from([0.1, 0.25, 0.5, 1.0]))
@settings(max_examples=30)
def test_bootstrapping_keeps_the_hardest_pixels_of_each_image(seed: int, keep: float) -> None:
    logits, labels = batch(seed)
    losses = nn.functional.cross_entropy(logits, labels.long(), ignore_index=IGNORE, reduction="none")
    kept: list[Tensor] = []
    for losses_HW, labels_HW in zip(losses, labels, strict=True):
        labelled = losses_HW[labels_HW != IGNORE].sort(descending=True).values
        kept.append(labelled[: int(keep * len(labelled))])
    assert torch.allclose(loss_of(Bootstrapped(keep), logits, labels), torch.cat(kept).mean(), rtol=1e-4)


@pytest.mark.parametrize("loss", [CrossEntropy(), Ohem(), Bootstrapped()])
def test_without_labels_it_is_zero_and_has_a_gradient(loss: Loss) -> None:
    logits, labels = batch(3)
    logits.requires_grad_()
    value = loss_of(loss, logits, torch.full_like(labels, IGNORE))
    backward(value)
    assert float(value.detach()) == 0.0
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) == 0.0


@pytest.mark.parametrize("loss", [CrossEntropy(), Ohem(), Bootstrapped()])
def test_unlabelled_pixels_get_no_gradient(loss: Loss) -> None:
    logits, labels = batch(5)
    logits.requires_grad_()
    backward(loss_of(loss, logits, labels))
    assert logits.grad is not None
    assert float(logits.grad.permute(0, 2, 3, 1)[labels == IGNORE].abs().max()) == 0.0


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("mean", Mean)
def test_the_divergence_is_that_of_torch(direction: Direction, mean: Mean) -> None:
    student, teacher = batch(7)[0], batch(8)[0]
    own, other = (student, teacher) if direction is Direction.STUDENT_TEACHER else (teacher, student)
    summed = nn.functional.kl_div(other.log_softmax(1), own.log_softmax(1), reduction="sum", log_target=True)
    count = student.numel() if mean is Mean.ELEMENTS else student.numel() / student.shape[1]
    found = divergence(Distillation(direction=direction, mean=mean), student, teacher)
    assert torch.allclose(found, summed / count, rtol=1e-4)


def test_the_divergence_of_equal_logits_is_zero_and_the_teacher_learns_nothing() -> None:
    student, teacher = batch(7)[0].requires_grad_(), batch(8)[0].requires_grad_()
    assert float(divergence(Distillation(temperature=4.0), student, student).detach()) == pytest.approx(0.0, abs=1e-6)
    backward(divergence(Distillation(), student, teacher))
    assert teacher.grad is None


def test_median_frequency_weighs_rare_classes_more() -> None:
    labels = torch.full((2, 4, 4), IGNORE, dtype=torch.uint8)
    labels[0, :2] = 0  # 8 pixels of class 0, 4 of class 1
    labels[0, 2] = 1
    labels[1, 0] = 2  # 4 pixels of class 2 alone
    weights = median_frequency_weights(labels, 4)
    shares = torch.tensor([8 / 12, 4 / 12, 4 / 4])
    assert torch.allclose(weights[:3], shares.quantile(0.5) / shares)
    assert float(weights[3]) == 1.0
