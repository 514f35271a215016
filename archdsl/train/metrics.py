"""How well classes are found: a confusion matrix, summed exactly over images and processes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from archdsl.train.distributed import all_reduce_sum
from archdsl.train.losses import IGNORE
from archdsl.train.typed_torch import whole_numbers


@dataclass(slots=True)
class Confusion:
    """counts[t, p]: pixels of class t that were taken for class p."""

    classes: int
    counts: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.counts = torch.zeros(self.classes, self.classes, dtype=torch.long)

    def add(self, predicted: Tensor, labels: Tensor) -> None:
        """Labels below the number of classes or IGNORE, predictions below it; of equal shape."""
        labelled = labels != IGNORE
        pairs = labels[labelled].long() * self.classes + predicted[labelled].long()
        counted = torch.bincount(pairs, minlength=self.classes**2)
        self.counts += counted.view(self.classes, self.classes).to(self.counts.device)

    def scores(self, device: torch.device | None = None) -> Scores:
        """Over all processes; `device` is where they can exchange tensors."""
        return Scores.of(all_reduce_sum(self.counts.to(device) if device else self.counts).cpu())


@dataclass(frozen=True, slots=True)
class Scores:
    iou: tuple[float | None, ...]
    """Intersection over union of each class; None for one that occurs neither in labels nor in predictions."""
    accuracy: float
    """The share of labelled pixels that are right."""
    pixels: int
    """Labelled pixels."""

    @property
    def miou(self) -> float:
        """The mean over the classes that occur."""
        found = [each for each in self.iou if each is not None]
        return sum(found) / len(found) if found else 0.0

    @classmethod
    def of(cls, counts: Tensor) -> Scores:
        right = whole_numbers(counts.diagonal())
        either = whole_numbers(counts.sum(0) + counts.sum(1) - counts.diagonal())
        pixels = int(counts.sum())
        iou = tuple(hit / union if union else None for hit, union in zip(right, either, strict=True))
        return cls(iou, sum(right) / pixels if pixels else 0.0, pixels)
