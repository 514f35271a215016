"""The accuracy of a network with the weights that a supernet has for it.

Legend of shape suffixes: B images, C channels of all inputs, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import torch
from torch import Tensor, nn

from archdsl.data import Data
from archdsl.data.augment import normalise
from archdsl.nets import Network
from archdsl.nets.supernet.supernet import Supernet
from archdsl.space.divisibility import multiple, of_trace
from archdsl.space.trace import Answers, trace
from archdsl.train.batch_norms import check_statistics
from archdsl.train.evaluate import SCORED_TOGETHER, batched, own_indices, score
from archdsl.train.outputs import ImageLogits, main_output

BATCHES: Final = 8
"""Of `BATCH` images each, on which batch norms are measured again."""
BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class SupernetAccuracy:
    """Scores genotypes as their networks run in a supernet; the supernet itself is not changed."""

    supernet: Supernet
    data: Data
    device: torch.device
    train_on: str = "train"
    score_on: str = "val"
    seed: int = 0
    """Of the images on which batch norms are measured again: the same for all genotypes."""
    batches: int = BATCHES

    def __post_init__(self) -> None:
        """Raises Refused where images for statistics are too few."""
        images = len(self.data.splits[self.train_on])
        check_statistics(self.supernet.program.nodes, images, self.train_on, "--train-on")

    def __call__(self, answers: Answers) -> float:
        """The mIoU on `score_on`, 0 to 1; of whole images top-1."""
        network = self.network(answers)
        examples = self.data.splits[self.score_on]
        scored = batched(map(examples.read, own_indices(len(examples))), SCORED_TOGETHER)
        logits = ImageLogits(network, main_output(network.graph, None))
        return score(logits, self.data, scored, self._multiple(answers), device=self.device).merit

    def of_candidate(self, _: int, answers: Answers) -> float:
        """The same of a candidate of a baseline, whatever its number."""
        return self(answers)

    def network(self, answers: Answers) -> Network:
        """The genotype's network: copies of the supernet's weights, and statistics of its own batch norms.

        Those of a supernet are of the maps of many networks, so they are measured again on training images (Guo et
        al., ECCV 2020, section 3.4).
        """
        network = Network(self.supernet.network_graph(answers))
        own = network.state_dict()
        with torch.no_grad():
            for name, tensor in self.supernet.weights_for(answers).items():
                if name in own:  # those of auxiliary outputs are not
                    own[name].copy_(tensor)
        network = network.to(self.device).eval()
        recalibrate(network, map(network.unstacked, self._images(self._multiple(answers))))
        return network

    def _multiple(self, answers: Answers) -> int:
        return multiple(of_trace(trace(self.supernet.program, answers)))

    def _images(self, padding_multiple: int) -> Iterable[Tensor]:
        split = self.data.splits[self.train_on]
        whole = len(split) - len(split) % BATCH or len(split)  # no batch is so small that it has no variance
        some = Random(self.seed).sample(range(len(split)), min(whole, self.batches * BATCH))
        for images_BCHW, _ in batched(map(split.read, some), BATCH):
            ready_BCHW = normalise(images_BCHW.to(self.device), self.data.mean, self.data.std)
            below, right = (-length % padding_multiple for length in ready_BCHW.shape[-2:])
            yield nn.functional.pad(ready_BCHW, (0, right, 0, below))


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Sequence[Tensor]]) -> None:
    """Measures the statistics of all batch norms on batches of normalised inputs BxCxHxW, each as much as another.

    Everything else, such as dropout, is left as in evaluation.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    for inputs in batches:
        network(*inputs)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
        norm.eval()
