"""Losses of a batch, the objective that a recipe makes of them, and its gradients.

Legend: B images, K classes, H height, W width, N labelled pixels. Each loss is the mean over the pixels that count in
the batch of all processes: its gradient, averaged over the processes as data parallelism does, is that of one process
with the whole batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import assert_never

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl.settings import Training
from archdsl.settings.losses import Bootstrapped, CrossEntropy, Direction, Distillation, Loss, Mean, Ohem
from archdsl.train.distributed import all_reduce_sum, kth_largest, world_size
from archdsl.train.outputs import at_size
from archdsl.train.typed_torch import no_backward_sync

IGNORE = 255
"""The label of unlabelled pixels."""


def is_labelled(labels_BHW: Tensor) -> Tensor:
    """Which labels count: of pixels all but IGNORE, of whole images all, whose labels have no height and width."""
    return labels_BHW != IGNORE if labels_BHW.ndim > 1 else torch.ones_like(labels_BHW, dtype=torch.bool)


_NEVER = -100
"""A label that no image has."""


def loss_of(loss: Loss, logits_BKHW: Tensor, labels_BHW: Tensor, class_weights_K: Tensor | None = None) -> Tensor:
    """The loss of one output: of a map by its pixels, or of whole images, with logits BxK and labels B.

    `labels` are whole numbers below K, or IGNORE. `class_weights` weigh pixels by their class. Zero where no pixel has
    a label.
    """
    logits_BKHW = logits_BKHW.float()
    smoothing = loss.label_smoothing if isinstance(loss, CrossEntropy) else 0.0
    pixels_BHW = nn.functional.cross_entropy(
        logits_BKHW,
        labels_BHW.long(),
        weight=class_weights_K,
        ignore_index=IGNORE if labels_BHW.ndim > 1 else _NEVER,
        reduction="none",
        label_smoothing=smoothing,
    )
    labelled_BHW = is_labelled(labels_BHW)
    match loss:
        case CrossEntropy():
            return _mean(pixels_BHW, _weight(labels_BHW, labelled_BHW, class_weights_K))
        case Ohem(threshold, keep):
            return _mean(pixels_BHW, _hard(logits_BKHW, labels_BHW, labelled_BHW, threshold, keep).float())
        case Bootstrapped(keep):
            return _mean(pixels_BHW, _hardest(pixels_BHW, labelled_BHW, keep).float())
        case _:
            assert_never(loss)


def at_labels(logits_BKhw: Tensor, labels_BHW: Tensor) -> Tensor:
    """Logits BxKxHxW at the size of the labels; those of whole images as they are."""
    if labels_BHW.ndim == 1:
        return logits_BKhw
    return at_size(logits_BKhw, (labels_BHW.shape[1], labels_BHW.shape[2]))


def _weight(labels_BHW: Tensor, labelled_BHW: Tensor, class_weights_K: Tensor | None) -> Tensor:
    if class_weights_K is None:
        return labelled_BHW.float()
    return class_weights_K[labels_BHW.long().where(labelled_BHW, 0)] * labelled_BHW


def _mean(pixels_BHW: Tensor, counted_BHW: Tensor) -> Tensor:
    """The weighted mean over the pixels of all processes, times the number of processes."""
    counted = all_reduce_sum(counted_BHW.sum())
    return (pixels_BHW * (counted_BHW > 0)).sum() * world_size() / counted.clamp(min=1e-12)


def _hard(logits_BKHW: Tensor, labels_BHW: Tensor, labelled_BHW: Tensor, threshold: float, keep: float) -> Tensor:
    """Online hard example mining: pixels whose true class has probability <= `threshold`, at least `keep` of all.

    As the published code of FasterSeg has it: class weights play no part in it, and where too few are that low the
    limit is raised to the probability of the last one that is wanted.
    """
    with torch.no_grad():
        right_BHW = logits_BKHW.softmax(1).gather(1, labels_BHW.long().where(labelled_BHW, 0).unsqueeze(1)).squeeze(1)
        right_BHW = right_BHW.where(labelled_BHW, 2.0)
        labelled = int(all_reduce_sum(labelled_BHW.sum()))
        wanted = min(max(1, int(keep * labels_BHW.numel() * world_size())), labelled)
        if not wanted:
            return labelled_BHW
        limit = -kth_largest(-right_BHW.flatten(), wanted)
        return right_BHW <= limit.clamp(min=threshold)


def _hardest(pixels_BHW: Tensor, labelled_BHW: Tensor, keep: float) -> Tensor:
    """The share `keep` of each image's labelled pixels, those with the highest loss."""
    with torch.no_grad():
        counted = torch.zeros_like(labelled_BHW)
        for image, pixels_HW, labelled_HW in zip(counted, pixels_BHW, labelled_BHW, strict=True):
            wanted = int(keep * int(labelled_HW.sum()))
            if wanted:
                hardest = pixels_HW.where(labelled_HW, -1.0).flatten().topk(wanted).indices
                image.view(-1)[hardest] = True
        return counted


def divergence(distillation: Distillation, student_BKHW: Tensor, teacher_BKHW: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of distillation, without its weight (FasterSeg, equation 4).

    With a temperature T both are softened by it and the result is multiplied by T^2 (Hinton et al., 2015).
    """
    softness = distillation.temperature
    student = (student_BKHW.float() / softness).log_softmax(1)
    teacher = (teacher_BKHW.detach().float() / softness).log_softmax(1)
    match distillation.direction:
        case Direction.STUDENT_TEACHER:
            elements_BKHW = student.exp() * (student - teacher)
        case Direction.TEACHER_STUDENT:
            elements_BKHW = teacher.exp() * (teacher - student)
        case _:
            assert_never(distillation.direction)
    scaled = elements_BKHW * softness**2
    match distillation.mean:
        case Mean.PIXELS:
            return scaled.sum(1).mean()
        case Mean.ELEMENTS:
            return scaled.mean()
        case _:
            assert_never(distillation.mean)


def median_frequency_weights(labels_NHW: Iterable[Tensor], classes: int) -> Tensor:
    """median(f) / f for each class, f = its pixels / the labelled pixels of the images that hold it; 1 for one in none.

    Eigen and Fergus (ICCV 2015), as SegNet uses it; here unlabelled pixels do not count.
    """
    pixels, where = torch.zeros(classes, dtype=torch.double), torch.zeros(classes, dtype=torch.double)
    for labels_HW in labels_NHW:
        counted = labels_HW[labels_HW != IGNORE] if labels_HW.ndim else labels_HW
        counts = torch.bincount(counted.long().flatten(), minlength=classes).double()
        pixels += counts
        where += (counts > 0) * counts.sum()
    share = pixels / where.clamp(min=1)
    found = share[share > 0]
    if not len(found):
        return torch.ones(classes)
    middle = found.quantile(0.5)
    return torch.where(share > 0, middle / share.clamp(min=1e-12), torch.ones(())).float()


@dataclass(frozen=True, slots=True)
class Terms:
    """The loss of a batch, and its terms before they are weighted."""

    loss: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Objective:
    """The objective of a recipe: the loss of the main output, auxiliary losses, distillation.

    A smaller map is resized to the labels, as it is where it is scored.
    """

    recipe: Training
    main: str
    """The name of the output of classes."""
    class_weights: Tensor | None = None
    auxiliary: tuple[str, ...] | None = None
    """The names of the auxiliary outputs, beside which none is trained; None for all others."""

    def terms(self, outputs: Mapping[str, Tensor], labels_BHW: Tensor, teacher_BKHW: Tensor | None) -> Terms:
        names = outputs if self.auxiliary is None else (self.main, *self.auxiliary)
        logits = {name: at_labels(outputs[name], labels_BHW) for name in names}
        parts = {name: loss_of(self.recipe.loss, each, labels_BHW, self.class_weights) for name, each in logits.items()}
        loss = parts[self.main]
        for name, part in parts.items():
            if name != self.main:
                loss = loss + self.recipe.auxiliary.of(name) * part
        if self.recipe.distill is not None and teacher_BKHW is not None:
            parts["distill"] = divergence(self.recipe.distill, logits[self.main], teacher_BKHW)
            loss = loss + self.recipe.distill.weight * parts["distill"]
        return Terms(loss, parts)


Batch = tuple[Tensor, Tensor]
"""Images BxCxHxW as the network reads them; labels BxHxW, or B of whole images."""


def backward(
    fabric: Fabric,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batches: Sequence[Batch],
    teacher: nn.Module | None = None,
) -> dict[str, float]:
    """Accumulates the mean gradient of micro-batches; returns the loss and its terms, averaged over all processes.

    `network` gives all outputs by name and is set up by `fabric`. The gradient is clipped as the recipe says; one that
    is not finite stays so, which with fp16 is no failure: the step is left out and the loss scaled less.
    """
    optimizer.zero_grad(set_to_none=True)
    sums: dict[str, Tensor] = {}
    for position, (images, labels) in enumerate(batches):
        last = position == len(batches) - 1  # gradients are exchanged after the last part alone
        with no_backward_sync(fabric, network) if not last and world_size() > 1 else nullcontext():
            with torch.no_grad():
                taught = None if teacher is None else teacher(images)
            terms = objective.terms(network(images), labels, taught)
            fabric.backward(terms.loss / len(batches))
        for name, value in {"loss": terms.loss, **terms.parts}.items():
            sums[name] = sums.get(name, torch.zeros(())) + value.detach().cpu() / len(batches)
    clip = objective.recipe.weights.clip
    if clip is not None:
        fabric.clip_gradients(network, optimizer, max_norm=clip, error_if_nonfinite=False)
    return {name: float(all_reduce_sum(value)) / world_size() for name, value in sums.items()}
