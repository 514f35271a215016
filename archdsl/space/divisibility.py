"""Which image sizes a network divides without a rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final, TypeAlias

from archdsl.ops import Shape
from archdsl.ops.attributes import padding, pair, step
from archdsl.ops.dims import Rational, whole
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.program import Apply, Image, Payload, Program, Result
from archdsl.space.trace import Trace

Item: TypeAlias = "tuple[int, Payload, tuple[int, ...], Shape]"
"""A node's number, its payload, the positions of its inputs among the items, and its shape."""

_Factors: TypeAlias = "tuple[Rational, Rational]"
"""Of rows and columns."""
_WHOLE: Final = (1, 1)


@dataclass(frozen=True, slots=True)
class Uneven:
    """A node that cannot divide the size of its map, or an output that does not come back to the image's size."""

    node: int
    before: tuple[int, int]
    factor: int
    """What the size would have to be a multiple of; 1 for an output."""


def of_program(program: Program) -> list[Item]:
    return [(index, node.payload, node.inputs, node.shape) for index, node in enumerate(program.nodes)]


def of_trace(trace: Trace) -> list[Item]:
    position = {key: index for index, key in enumerate(trace.computed)}
    return [
        (computed.key.node, computed.payload, tuple(position[source] for source in computed.inputs), computed.shape)
        for computed in trace.computed.values()
    ]


def multiple(items: Iterable[Item]) -> int:
    """The padding multiple: every image whose height and width are multiples of it divides without a rest."""
    ratios = _ratios(items)
    return lcm(*(factor.denominator for _, ratio in ratios for factor in ratio or ()))


def uneven(items: list[Item]) -> Iterator[Uneven]:
    """Every node at which the image's size does not divide.

    A resize to a part and a window that is as large as its stride need a multiple of it. A strided conv or pool that
    pads also takes one row more (769 gives 385), where the corners of both maps lie on one another, and one whose last
    window ends with what `pad` makes of the map takes that map.
    """
    ratios, scales = _ratios(items), _Scales()
    image = next((shape for _, payload, _, shape in items if isinstance(payload, Image)), None)
    for (node, payload, inputs, shape), (_, ratio) in zip(items, ratios, strict=True):
        if isinstance(payload, Result) and ratio == _WHOLE and image is not None and shape[1:] != image[1:]:
            yield Uneven(node, (shape.height, shape.width), 1)
        if not isinstance(payload, Apply) or not inputs:
            continue
        before = items[inputs[0]][3]
        for axis, factor in enumerate(scales.of(payload) or ()):
            if factor < 1 and not _takes(payload, axis, before.size[axis], factor.denominator):
                yield Uneven(node, before.size, factor.denominator)
                break


def crops(items: list[Item]) -> bool:
    """Whether a node that keeps the resolution gives fewer rows or columns than it reads, as unpadded networks do."""
    scales = _Scales()
    return any(
        isinstance(payload, Apply) and inputs and scales.of(payload) == _WHOLE and shape.size < items[inputs[0]][3].size
        for _, payload, inputs, shape in items
    )


class _Scales:
    """The factors of nodes; none where a smaller last window takes whatever is left over.

    Equal nodes of a network mostly are one object, and few are different.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Factors | None] = {}

    def of(self, payload: Apply) -> _Factors | None:
        key = id(payload)
        if key not in self._known:
            attributes = payload.attribute
            ceil = attributes.get("ceil")
            scale = None if ceil else PRIMITIVES[payload.primitive].scale(attributes)
            self._known[key] = None if scale is None else (whole(scale[0]), whole(scale[1]))
        return self._known[key]


def _takes(payload: Apply, axis: int, length: int, factor: int) -> bool:
    """Whether a node that makes a part of its map takes one of this height or width without a rest."""
    if length % factor == 0:
        return True
    attributes = payload.attribute
    if "k" not in attributes:
        return length % factor == 1 and not PRIMITIVES[payload.primitive].traits.resamples
    size, given = pair(attributes, "k")[axis], padding(attributes, "pad")
    if isinstance(given, tuple):
        extent = step(attributes, "d")[axis] * (size - 1) + 1
        return (length + given[axis] + given[axis + 2] - extent) % factor == 0
    return length % factor == 1 and size != factor


def _ratios(items: Iterable[Item]) -> list[tuple[int, _Factors | None]]:
    """Each node's resolution as a part of the first image's; None where no factor says it."""
    found: list[tuple[int, _Factors | None]] = []
    scales = _Scales()
    first: Shape | None = None
    for node, payload, inputs, shape in items:
        before = [found[source][1] for source in inputs]
        match payload:
            case Image():
                first = first or shape
                ratio = whole(Fraction(shape.height, first.height)), whole(Fraction(shape.width, first.width))
            case Apply() if before:
                scale = scales.of(payload)
                if len(before) > 1 and PRIMITIVES[payload.primitive].traits.like:
                    ratio = before[1]
                elif scale is None or before[0] is None:
                    ratio = None
                else:
                    ratio = before[0] if scale == _WHOLE else (before[0][0] * scale[0], before[0][1] * scale[1])
            case _:
                ratio = next((each for each in before if each is not None), None)
        found.append((node, ratio))
    return found
