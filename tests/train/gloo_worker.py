"""One process of a joined batch: writes the gradients that it has of it, and the joined confusion matrix.

Started by `torchrun`, or alone for the whole batch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import torch

from archdsl.nets import EveryOutput, Network, load_weights
from archdsl.pipeline import load, trainings
from archdsl.settings.losses import Bootstrapped, ClassWeights, CrossEntropy, Loss, Ohem
from archdsl.train.distributed import fabric_of, rank, synchronise_batch_norms, world_size
from archdsl.train.evaluate import Confusion
from archdsl.train.losses import Objective, backward
from archdsl.train.optimizers import optimizer_of
from archdsl.train.typed_torch import save_file
from archdsl.weights import random_weights

LOSSES: dict[str, Loss] = {
    "cross_entropy": CrossEntropy(class_weights=ClassWeights.NONE, label_smoothing=0.1),
    "ohem": Ohem(0.6, 1 / 3),
    "bootstrapped": Bootstrapped(1 / 4),
}


def main(text: Path, out: Path) -> None:
    torch.set_num_threads(1)
    fabric = fabric_of("cpu", "fp32")
    (recipe,) = trainings(str(text), "small")
    graph = load(str(text)).network()
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(4, 3, 32, 64, generator=generator)
    labels = torch.randint(3, (4, 32, 64), generator=generator)
    labels[0, :20] = 255  # processes have different numbers of labelled pixels
    mine = slice(rank(), None, world_size())
    found: dict[str, torch.Tensor] = {}
    for name, loss in LOSSES.items():
        network = Network(graph, auxiliary=True)
        load_weights(network, random_weights(graph, 0))
        if world_size() > 1:
            synchronise_batch_norms(network, cuda=False)
        network.train()
        optimizer = optimizer_of(recipe.weights.optimizer, network.parameters())
        wrapped, stepped = cast("tuple[Any, Any]", fabric.setup(EveryOutput(network), optimizer))
        values = backward(
            fabric, wrapped, stepped, _plain(Objective(recipe, "logits"), loss), [(images[mine], labels[mine])]
        )
        found[f"{name}.loss"] = torch.tensor(values["loss"])
        found |= {
            f"{name}.{path}": each.grad.clone() for path, each in network.named_parameters() if each.grad is not None
        }
        found |= {f"{name}.{path}": each.clone() for path, each in network.named_buffers() if "running" in path}
    confusion = Confusion(3)
    for label in labels[mine]:
        confusion.add((label.clamp(max=2) + 1) % 3, label)
    scores = confusion.scores()
    found["scores"] = torch.tensor(
        [*(each or -1.0 for each in scores.iou), scores.accuracy, float(scores.pixels)]
    ).double()
    save_file(found, out / f"rank{rank()}of{world_size()}.safetensors")


def _plain(objective: Objective, loss: Loss) -> Objective:
    from dataclasses import replace

    weights = replace(objective.recipe.weights, clip=None)
    return replace(objective, recipe=replace(objective.recipe, loss=loss, weights=weights))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
