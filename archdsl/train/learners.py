"""What is trained: a network with all its outputs, or its features with a head that classifies whole images.

Legend of shape suffixes: B images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from torch import Tensor, nn

from archdsl.nets import EveryOutput, Network
from archdsl.train.features import Features

CLASSES = "classes"
"""The output of a classifier."""
Learner = EveryOutput
"""Its call gives outputs by name; `learner.network` is the network whose weights are kept."""


class Classifier(EveryOutput):
    """Pretrains what a map of a network is made of: the map's mean over all places, then a linear layer."""

    def __init__(self, network: Network, features: Features, classes: int) -> None:
        super().__init__(network)
        self._path = features.path
        self.head = nn.Linear(features.channels, classes)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, x_BCHW: Tensor) -> dict[str, Tensor]:
        """Logits BxKx1x1: an image is one place with one class."""
        features_BCHW = self.network.probe(x_BCHW, {self._path})[self._path]
        logits_BK = self.head(features_BCHW.mean((2, 3)))
        return {CLASSES: logits_BK[:, :, None, None]}
