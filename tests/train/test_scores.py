"""Scores from a confusion matrix."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.train.evaluate import Confusion
from archdsl.train.losses import IGNORE


@given(st.integers(0, 1000), st.integers(2, 6))
@settings(max_examples=30)
def test_iou_is_intersection_over_union(seed: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (3, 8, 8), generator=generator)
    predicted = torch.randint(classes, (3, 8, 8), generator=generator)
    labels[torch.rand(3, 8, 8, generator=generator) < 0.2] = IGNORE
    confusion = Confusion(classes)
    for label, guess in zip(labels, predicted, strict=True):
        confusion.add(guess, label)
    scores = confusion.scores()
    seen = labels != IGNORE
    for index in range(classes):
        here, there = (labels == index) & seen, (predicted == index) & seen
        assert scores.iou[index] == pytest.approx(float((here & there).sum() / (here | there).sum()))
    assert scores.pixels == int(seen.sum())
    assert scores.accuracy == pytest.approx(float((labels == predicted)[seen].float().mean()))


def test_a_class_that_never_occurs_does_not_count() -> None:
    confusion = Confusion(3)
    confusion.add(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    scores = confusion.scores()
    assert scores.iou == (0.5, 0.5, None)
    assert scores.miou == 0.5
