"""Which tensor of somebody else's checkpoint is which of a network's: by name, by shape, or by order.

A layer is the tensors that share all of their names but the last part; within one they are told by that part. Layers
are taken for each other where

* their tensors have the same names, once what stands before all of them is left out;
* or all layers that remain on both sides are, one after the other, of the same shapes;
* or a shape remains once on either side.

Anything else would be a guess, and is refused. The order of a file that torch wrote is that in which modules were
defined; safetensors files keep none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import ClosedGraph, for_inference
from archdsl.weights.files import WeightsFile
from archdsl.weights.specification import Spec, specification
from archdsl.weights.stored import Stored

Shape = tuple[int, ...]


class By(StrEnum):
    NAME = "name"
    ORDER = "order"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Pair:
    """A tensor of the network and the one of the file that it gets."""

    name: str
    shape: Shape
    theirs: str
    by: By


@dataclass(frozen=True, slots=True)
class Mapped:
    """What was found. `certain` says whether every tensor of the network has one."""

    pairs: tuple[Pair, ...]
    missing: Mapping[str, Shape]
    """Tensors of the network that nothing in the file is certain to be."""
    left: Mapping[str, Shape]
    """Tensors of the file that the network does not want."""
    wanted: Mapping[str, Spec]
    prefix: str = ""
    """What stands before the names of the tensors that were taken."""
    reason: str = ""
    """Why what is missing cannot be told for certain."""

    @property
    def certain(self) -> bool:
        return not self.missing

    def tensors(self, file: WeightsFile) -> dict[str, NDArray[np.float32]]:
        """The network's tensors as float32. Raises BrokenWeights, UnreadableWeights."""
        theirs = {pair.name: _shaped(file.tensors[pair.theirs], pair.shape) for pair in self.pairs}
        return replace(file, tensors=theirs).matching(self.wanted)


def mapped(file: WeightsFile, graph: ClosedGraph, *, ordered: bool) -> Mapped:
    """The tensors of a file for a network, with its auxiliary outputs or, where nothing else fits, without.

    `ordered` says that the file has its tensors in the order of the modules that own them.
    """
    tries = [
        _mapped(file.shapes, wanted, ordered=ordered)
        for wanted in (specification(graph), specification(for_inference(graph)))
    ]
    return min(
        tries, key=lambda each: (len(each.missing) > 0, len(each.wanted) == len(tries[1].wanted), len(each.missing))
    )


# Names ------------------------------------------------------------------------------------------


def _mapped(shapes: Mapping[str, Shape], wanted: Mapping[str, Spec], *, ordered: bool) -> Mapped:
    ours = {name: spec.shape for name, spec in wanted.items()}
    prefix = _prefix(shapes, ours)
    named = {name: f"{prefix}{name}" for name, shape in ours.items() if _alike(shapes.get(f"{prefix}{name}"), shape)}
    pairs = [Pair(name, ours[name], theirs, By.NAME) for name, theirs in named.items()]
    rest = {name: shape for name, shape in ours.items() if name not in named}
    taken = set(named.values())
    others = {name: shape for name, shape in shapes.items() if name not in taken}
    found, reason = _by_layers(rest, others, ordered=ordered) if rest else ({}, "")
    pairs += [Pair(name, ours[name], theirs, by) for name, (theirs, by) in found.items()]
    order = {name: at for at, name in enumerate(ours)}
    used = {pair.theirs for pair in pairs}
    return Mapped(
        tuple(sorted(pairs, key=lambda pair: order[pair.name])),
        {name: shape for name, shape in rest.items() if name not in found},
        {name: shape for name, shape in others.items() if name not in used},
        wanted,
        prefix,
        reason,
    )


def _prefix(shapes: Mapping[str, Shape], ours: Mapping[str, Shape]) -> str:
    """What stands before most of our names, of all that stands before any of them; the shortest of equals."""
    counts: Counter[str] = Counter()
    last = {name.rpartition(".")[2] for name in ours}
    for name, shape in shapes.items():
        if name.rpartition(".")[2] not in last:
            continue
        parts = name.split(".")
        for at in range(len(parts)):
            if _alike(ours.get(".".join(parts[at:])), shape):
                counts["".join(f"{part}." for part in parts[:at])] += 1
    return min(counts, key=lambda prefix: (-counts[prefix], len(prefix))) if counts else ""


# Layers -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layer:
    """The tensors of one module, by the last part of their names."""

    name: str
    tensors: Mapping[str, Shape]

    @property
    def kind(self) -> tuple[tuple[str, Shape], ...]:
        """What it is known by: shapes without the ones at their ends, for a linear layer is a 1x1 convolution too."""
        return tuple(sorted((part, _core(shape)) for part, shape in self.tensors.items()))

    def full(self, part: str) -> str:
        return f"{self.name}.{part}" if self.name else part


def _by_layers(
    ours: Mapping[str, Shape], theirs: Mapping[str, Shape], *, ordered: bool
) -> tuple[dict[str, tuple[str, By]], str]:
    mine, other = _layers(ours), _layers(theirs)
    kinds = [layer.kind for layer in mine]
    if ordered and kinds == [layer.kind for layer in other]:
        return _paired(list(zip(mine, other, strict=True)), By.ORDER), ""
    wanted = [layer for layer in other if layer.kind in set(kinds)]
    if ordered and kinds == [layer.kind for layer in wanted] and _apart(other, wanted):
        return _paired(list(zip(mine, wanted, strict=True)), By.ORDER), ""
    counts = Counter(layer.kind for layer in other)
    once = {kind for kind, count in Counter(kinds).items() if count == 1 == counts[kind]}
    unique = {layer.kind: layer for layer in other}
    found = _paired([(layer, unique[layer.kind]) for layer in mine if layer.kind in once], By.SHAPE)
    return found, "" if len(found) == len(ours) else _reason(mine, other, ordered=ordered)


def _apart(every: Sequence[_Layer], wanted: Sequence[_Layer]) -> bool:
    """Whether what the network has no use for stands behind all that it wants: another head, an average."""
    return list(every[: len(wanted)]) == list(wanted)


def _reason(mine: Sequence[_Layer], other: Sequence[_Layer], *, ordered: bool) -> str:
    if not ordered:
        return "a safetensors file does not keep the order of layers: take the file that torch wrote"
    if len(mine) != len(other):
        return f"the network has {len(mine)} layers without a name in the file, and the file {len(other)} others"
    at = next(at for at, pair in enumerate(zip(mine, other, strict=True)) if pair[0].kind != pair[1].kind)
    return f"in order, `{mine[at].name}` of the network and `{other[at].name}` of the file have other shapes"


def _layers(tensors: Mapping[str, Shape]) -> list[_Layer]:
    found: dict[str, dict[str, Shape]] = {}
    for name, shape in tensors.items():
        layer, _, part = name.rpartition(".")
        found.setdefault(layer, {})[part] = shape
    return [_Layer(name, parts) for name, parts in found.items()]


def _paired(layers: Sequence[tuple[_Layer, _Layer]], by: By) -> dict[str, tuple[str, By]]:
    return {mine.full(part): (other.full(part), by) for mine, other in layers for part in mine.tensors}


def _core(shape: Shape) -> Shape:
    """Without the ones at its end."""
    end = len(shape)
    while end > 1 and shape[end - 1] == 1:
        end -= 1
    return shape[:end]


def _alike(found: Shape | None, wanted: Shape) -> bool:
    return found is not None and _core(found) == _core(wanted)


def _shaped(stored: Stored, shape: Shape) -> Stored:
    """The same numbers in a shape that has other ones at its end."""
    read: Final[Callable[[], NDArray[np.generic]]] = stored.read
    return stored if stored.shape == shape else replace(stored, shape=shape, read=lambda: read().reshape(shape))
