"""The inputs of a network as channels of one stacked image, which batches, augmentation and views are made of.

Legend of shape suffixes: B images, C channels of all inputs together, H height, W width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor, nn

from archdsl.ir import ClosedGraph
from archdsl.ops import Shape
from archdsl.space import Image, Program
from archdsl.weights.specification import closed_count


@dataclass(frozen=True, slots=True)
class InputPart:
    """An input: its channels of the stacked image, at its part of the image's height and width."""

    name: str
    channels: int
    height: Fraction
    width: Fraction


def input_parts(graph: ClosedGraph) -> tuple[InputPart, ...]:
    """The inputs of a network in the order of the text."""
    return _parts({image.name: graph.node(path).shape for path, image in graph.with_payload(Image)})


def input_parts_of_space(program: Program) -> tuple[InputPart, ...]:
    """The inputs of every network of a space, in the order of the text."""
    return _parts({node.local: node.shape for node in program.images})


def _parts(shapes: Mapping[str, Shape]) -> tuple[InputPart, ...]:
    """The stacked image has the height and width of the first."""
    first = next(iter(shapes.values()))
    return tuple(
        InputPart(
            name,
            closed_count(shape.channels, name),
            Fraction(shape.height, first.height),
            Fraction(shape.width, first.width),
        )
        for name, shape in shapes.items()
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
