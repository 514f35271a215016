"""What a network reads and gives, as training and scoring see it: stacked images to logits of one output.

Legend of shape suffixes: B images, C channels of all inputs, K classes, H height, W width; h, w of a smaller map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from archdsl.data.model import ImageInput
from archdsl.ir import ClosedGraph
from archdsl.nets import Network
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.pipeline import Loaded
from archdsl.space import Apply, Result
from archdsl.train.errors import Refused
from archdsl.weights.specification import node_weights


def inputs_of(loaded: Loaded) -> tuple[ImageInput, ...]:
    """What a network reads, in the order of the text."""
    found: list[ImageInput] = []
    for image in loaded.program.images:
        channels = image.shape.channels
        assert isinstance(channels, int), "an input's shape is written in numbers"
        found.append(ImageInput(image.local, channels))
    return tuple(found)


def chosen(name: str, outputs: Sequence[str], asked: str | None) -> str:
    """The output that is asked for, or the only one. Raises Refused."""
    listed = ", ".join(f"`{each}`" for each in outputs)
    if asked is not None and asked not in outputs:
        raise Refused(f"`{name}` has no output `{asked}`: `--output` takes {listed}")
    if asked is None and len(outputs) > 1:
        raise Refused(f"`{name}` has several outputs ({listed}): choose that of classes with `--output {outputs[0]}`")
    return asked or outputs[0]


def outputs_of(graph: ClosedGraph, *, auxiliary: bool) -> tuple[str, ...]:
    return tuple(each.name for _, each in graph.with_payload(Result) if each.auxiliary is auxiliary)


def main_output(graph: ClosedGraph, asked: str | None) -> str:
    """The name of the output of classes, which is no auxiliary one.

    Raises Refused for another name, for several of which none is chosen, and for numbers of classes in place of logits.
    """
    output = chosen(graph.name, outputs_of(graph, auxiliary=False), asked)
    check_logits(graph, output)
    return output


def check_logits(graph: ClosedGraph, output: str) -> None:
    """Raises Refused for an output of numbers of classes, which have no gradient and no probabilities."""
    path = path_of(graph, output)
    (source,) = graph.inputs(path)
    payload = graph.node(source).payload
    if isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.index:
        raise Refused(
            f"`{output}` of `{graph.name}` is numbers of classes (`{payload.primitive}`), and logits are asked for: "
            "give them out too, and choose them with `--output`"
        )


def path_of(graph: ClosedGraph, output: str) -> str:
    return next(path for path, each in graph.with_payload(Result) if each.name == output)


def shape_of(graph: ClosedGraph, output: str) -> Shape:
    return graph.node(path_of(graph, output)).shape


def trained_parameters(graph: ClosedGraph, outputs: Sequence[str]) -> frozenset[str]:
    """The names of parameters that have a gradient from these outputs, which numbers of classes let none through."""
    found: set[str] = set()
    waiting = [path_of(graph, output) for output in outputs]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        payload = graph.node(path).payload
        if isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.index:
            continue
        found.update(name for name, weight in node_weights(graph, path).items() if weight.trained)
        fresh = [source for source in graph.inputs(path) if source not in seen]
        seen.update(fresh)
        waiting += fresh
    return frozenset(found)


class ImageLogits(nn.Module):
    """A network as scores and teachers need it: stacked images BxCxHxW to the logits of one output, BxKxHxW or BxK."""

    def __init__(self, network: Network, output: str) -> None:
        super().__init__()
        self.network = network
        self.output = output

    def forward(self, images_BCHW: Tensor) -> Tensor:
        found: Tensor | dict[str, Tensor] = self.network(*self.network.unstacked(images_BCHW))
        logits_BKhw = found[self.output] if isinstance(found, dict) else found
        return at_size(logits_BKhw, cast("tuple[int, int]", images_BCHW.shape[-2:]))


def at_size(logits_BKhw: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits BxKxHxW, resized bilinearly to a height and width, as `--emit labels` does it; BxK as they are."""
    if logits_BKhw.ndim == 2 or logits_BKhw.shape[-2:] == size:
        return logits_BKhw
    return nn.functional.interpolate(logits_BKhw, size, mode="bilinear", align_corners=False)
