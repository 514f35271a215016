"""From a batch of images to gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from archdsl.settings import Training
from archdsl.train.distributed import all_reduce_sum, world_size
from archdsl.train.losses import divergence, loss_of
from archdsl.train.typed_torch import no_backward_sync


@dataclass(frozen=True, slots=True)
class Terms:
    """The loss of a batch and what it is made of, before weights are applied to the parts."""

    loss: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a recipe makes of the outputs of a network."""

    recipe: Training
    main: str
    """The output that is exported."""
    class_weights: Tensor | None = None

    def terms(self, outputs: Mapping[str, Tensor], labels_BHW: Tensor, teacher_BKHW: Tensor | None) -> Terms:
        parts = {
            name: loss_of(self.recipe.loss, logits, labels_BHW, self.class_weights) for name, logits in outputs.items()
        }
        loss = parts[self.main]
        for name, part in parts.items():
            if name != self.main:
                loss = loss + self.recipe.auxiliary.of(name) * part
        if self.recipe.distill is not None and teacher_BKHW is not None:
            parts["distill"] = divergence(self.recipe.distill, outputs[self.main], teacher_BKHW)
            loss = loss + self.recipe.distill.weight * parts["distill"]
        return Terms(loss, parts)


Batch = tuple[Tensor, Tensor]
"""Images Bx3xHxW as the network reads them, labels BxHxW."""


def backward(
    fabric: Fabric,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batches: Sequence[Batch],
    teacher: nn.Module | None = None,
) -> dict[str, float]:
    """Leaves the mean gradient of the batches in the parameters; gives the loss and its parts over all processes.

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
