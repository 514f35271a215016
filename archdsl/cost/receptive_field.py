"""Receptive fields: how much of the image a number of the output can hang on (Araujo, Norris, Sim, Distill 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf, isinf
from typing import Final, assert_never

from archdsl.ir import ClosedGraph, for_inference
from archdsl.ops import Reads, Shape
from archdsl.ops.attributes import pair, step, word
from archdsl.ops.model import Scale
from archdsl.ops.primitives import BUILT_IN, PRIMITIVES
from archdsl.ops.windows import parts
from archdsl.space import Apply


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Rows and columns of the image, or more than it has: padding counts.

    Infinite behind what reads whole maps: a global pool, a product of matrices.
    """

    height: float
    width: float


@dataclass(frozen=True, slots=True)
class _Reach:
    """Along one side: how many pixels a number hangs on, and how many lie between two neighbours."""

    size: Fraction | float
    """0 where it hangs on none, as zeros do."""
    step: Fraction

    def windowed(self, window: int, stride: int) -> _Reach:
        """Behind a window over so many neighbours, which moves by `stride`."""
        return _Reach(self.size + (window - 1) * self.step if self.size else self.size, self.step * stride)


_NEIGHBOURS: Final = {"nearest": 1, "bilinear": 2, "bicubic": 4}
"""Of which a resize makes a number, along a side."""

_PIXEL: Final = _Reach(Fraction(1), Fraction(1))


def receptive_field(graph: ClosedGraph) -> ReceptiveField | None:
    """The largest of a network's outputs at inference; None where it runs a primitive of another package.

    Of maps that are joined the largest counts, as if their windows were centred alike.
    """
    graph = for_inference(graph)
    reaches: dict[str, tuple[_Reach, _Reach]] = {}
    for node, inputs in graph.nodes():
        read = [reaches[source] for source in inputs]
        if not isinstance(node.payload, Apply):
            reaches[node.path] = read[0] if read else (_PIXEL, _PIXEL)
        elif PRIMITIVES[node.payload.primitive] not in BUILT_IN:
            return None
        else:
            sizes = graph.input_shapes(node.path)
            height, width = (
                _applied(node.payload, [each[side] for each in read], sizes, node.shape, side) for side in (0, 1)
            )
            reaches[node.path] = height, width
    ends = [reaches[path] for path in graph.results]
    return ReceptiveField(*(max(_whole(end[side].size) for end in ends) for side in (0, 1)))


def _applied(payload: Apply, read: Sequence[_Reach], sizes: Sequence[Shape], shape: Shape, side: int) -> _Reach:
    """What a primitive does to reaches along a side, 0 for rows and 1 for columns."""
    attributes, traits, first = payload.attribute, PRIMITIVES[payload.primitive].traits, read[0]
    if traits.zeros:
        return _Reach(Fraction(0), first.step * step(attributes, "s")[side])
    if traits.constant:
        return _Reach(Fraction(0), first.step)
    if traits.resamples:
        before, after = ((map_.width if side else map_.height) for map_ in (sizes[0], shape))
        if before == after:
            return first
        reach = first.windowed(_NEIGHBOURS[word(attributes, "mode")], 1)
        return _Reach(reach.size, reach.step * Fraction(before, after))
    match reads := PRIMITIVES[payload.primitive].places_read(attributes):
        case Reads.PLACE:
            return _placed(max(read, key=lambda each: each.size), PRIMITIVES[payload.primitive].scale(attributes), side)
        case Reads.WINDOW:
            extent = step(attributes, "d")[side] * (pair(attributes, "k")[side] - 1) + 1
            return first.windowed(extent, step(attributes, "s")[side])
        case Reads.SPREAD:
            extent, stride = step(attributes, "d")[side] * (pair(attributes, "k")[side] - 1) + 1, step(attributes, "s")
            reach = first.windowed(-(-extent // stride[side]), 1)
            return _Reach(reach.size, reach.step / stride[side])
        case Reads.PART:
            before, after = sizes[0].size[side], shape.size[side]
            reach = first.windowed(max(end - start for start, end in parts(before, after)), 1)
            return _Reach(reach.size, reach.step * Fraction(before, after))
        case Reads.ROW | Reads.COLUMN if reads is not (Reads.COLUMN, Reads.ROW)[side]:
            return first
        case Reads.MAP | Reads.ANY | Reads.ROW | Reads.COLUMN:
            reached = any(each.size for each in read)
            return _Reach(inf if reached else Fraction(0), first.step)
        case _:
            assert_never(reads)


def _placed(reach: _Reach, scale: Scale | None, side: int) -> _Reach:
    """Of a primitive that treats each place alike, or moves places into channels and back."""
    if scale is None or scale[side] == 1:
        return reach
    block = int(1 / scale[side])
    return reach.windowed(block, block) if block > 1 else _Reach(reach.size, reach.step / scale[side])


def _whole(size: Fraction | float) -> float:
    return inf if isinf(size) else ceil(size)
