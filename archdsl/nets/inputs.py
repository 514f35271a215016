"""The inputs of a network as channels of one stacked image, which batches, augmentation and views are made of.

Legend of shape suffixes: B images, C channels of all inputs together, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor, nn

from archdsl.ir import ClosedGraph
from archdsl.space import Image
from archdsl.weights.specification import closed_count


@dataclass(frozen=True, slots=True)
class InputPart:
    """An input: its channels of the stacked image, at its part of the image's height and width."""

    name: str
    channels: int
    height: Fraction
    width: Fraction


def input_parts(graph: ClosedGraph) -> tuple[InputPart, ...]:
    """The inputs in the order of the text. The stacked image has the height and width of the first."""
    first = graph.node(graph.images[0]).shape
    return tuple(
        InputPart(
            image.name,
            closed_count(graph.node(path).shape.channels, path),
            Fraction(graph.node(path).shape.height, first.height),
            Fraction(graph.node(path).shape.width, first.width),
        )
        for path, image in graph.with_payload(Image)
    )


def unstacked(stacked_BCHW: Tensor, parts: tuple[InputPart, ...]) -> tuple[Tensor, ...]:
    """The images of a stacked one, an input each; an input that the text has smaller is scaled down, bilinearly."""
    found: list[Tensor] = []
    height, width = stacked_BCHW.shape[-2:]
    start = 0
    for part in parts:
        image = stacked_BCHW[:, start : start + part.channels]
        start += part.channels
        size = (max(1, round(height * part.height)), max(1, round(width * part.width)))
        scaled = image
        if size != (height, width):
            scaled = nn.functional.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        found.append(scaled)
    return tuple(found)
