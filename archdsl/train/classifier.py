"""Pretraining by image classification: the feature map, and a classification head on it.

Legend of shape suffixes: B images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from archdsl.ir import ClosedGraph, for_inference
from archdsl.nets import EveryOutput, Network
from archdsl.train.errors import Refused


@dataclass(frozen=True, slots=True)
class Features:
    """The feature map that the classification head reads."""

    path: str
    channels: int
    needed: frozenset[str]
    """The node itself and its ancestors in the graph."""


def features_of(graph: ClosedGraph, part: str = "") -> Features:
    """The feature map to classify by: among the ancestors of the output, the smallest, then widest, then last.

    `part` restricts the search to one part of the network. Maps of 1x1 are skipped: they are attention weights.
    Raises Refused where there is no such map.
    """
    inference = for_inference(graph)
    made_of = _behind(inference, next(iter(inference.results)))
    found: Features | None = None
    best = (0, 0)
    for path in inference:
        node = inference.node(path)
        size, channels = node.shape.height * node.shape.width, node.shape.channels
        ends = path in inference.images or path in inference.results
        if path not in made_of or not _is_inside(path, part) or ends or size == 1 or not isinstance(channels, int):
            continue
        if (-size, channels) >= best or found is None:
            best = (-size, channels)
            found = Features(path, channels, frozenset(_behind(inference, path)))
    if found is None:
        where = f" in `{part}`" if part else ""
        raise Refused(f"`{graph.name}` has no map{where} that images could be classified by")
    return found


def part_of(graph: ClosedGraph, part: str) -> frozenset[str]:
    """The nodes of a part and their ancestors; without a part those of the whole network."""
    found: set[str] = set()
    for path in graph:
        if _is_inside(path, part):
            found |= _behind(graph, path)
    return frozenset(found)


def _is_inside(path: str, part: str) -> bool:
    return not part or path == part or path.startswith((f"{part}.", f"{part}["))


def _behind(graph: ClosedGraph, path: str) -> set[str]:
    """A node and its ancestors."""
    found = {path}
    waiting = [path]
    while waiting:
        fresh = [source for source in graph.inputs(waiting.pop()) if source not in found]
        found.update(fresh)
        waiting += fresh
    return found


CLASSES = "classes"
"""The name of the classifier's output."""
Learner = EveryOutput
"""Its call gives outputs by name; `learner.network` is the network whose weights are kept."""


class Classifier(EveryOutput):
    """A backbone with a classification head: global average pooling of a feature map, then a linear layer."""

    def __init__(self, network: Network, features: Features, classes: int) -> None:
        super().__init__(network)
        self._path = features.path
        self.head = nn.Linear(features.channels, classes)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, x_BCHW: Tensor) -> dict[str, Tensor]:
        """Images Bx3xHxW to logits BxK."""
        features_BCHW = self.network.probe(self.network.unstacked(x_BCHW), {self._path})[self._path]
        return {CLASSES: self.head(features_BCHW.mean((2, 3)))}
