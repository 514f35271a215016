"""Networks as functions of their images and weights, so that spellings of one network are found to be one.

A map is a formal sum of terms, and a term is a primitive applied to such sums: identities leave no trace, sums commute
and may be grouped in any way, zeros are the empty sum, and what only zeros read is no part of the function. A term with
weights is one of its own; two without, of the same maps, are one.

A map is known by the sum of hashes of its terms, a number of 64 bits. Terms with weights are told apart further by
what reads them and back, as colours are refined (Weisfeiler, Leman, 1968), so that two convs are not one that is read
twice. Passes both ways are linear in sums, so they run for one network on integers, or for many at once on arrays.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeAlias

from archdsl.ir.canonical import spell_payload
from archdsl.ir.graph import ClosedGraph
from archdsl.ops import Role, Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Image, NodePath, Result
from archdsl.space.values import values_read

Column: TypeAlias = Any
"""An `int` of 64 bits, or an array of `uint64` with a number for each of many networks."""

_ROUNDS: Final = 3
"""Of the refinement, each from the images to the outputs and back."""


@dataclass(frozen=True, slots=True)
class _Sum:
    parts: tuple[tuple[int, Hashable | None], ...]
    """Maps, each with the key of a column that is 1 where it is added and else 0; None for always."""


@dataclass(frozen=True, slots=True)
class _Term:
    label: int
    reads: tuple[int, ...]
    commutes: bool = False
    own: bool = False
    """Whether it has weights, or draws numbers of its own."""
    keeps_zeros: bool = False
    ends: bool = False
    """Whether it is an output."""


class Terms:
    """The maps of one network, or of many that differ in which maps are added. Each is known by its position."""

    def __init__(self) -> None:
        self._maps: list[_Sum | _Term] = []
        self._sharing: dict[str, list[int]] = {}
        """The terms that have the same weights, by where these lie."""

    def sum(self, parts: Iterable[tuple[int, Hashable | None]]) -> int:
        self._maps.append(_Sum(tuple(parts)))
        return len(self._maps) - 1

    def apply(
        self,
        payload: Image | Apply | Result,
        reads: Sequence[int],
        read: Sequence[Shape],
        shape: Shape,
        weights: NodePath | None = None,
    ) -> int:
        """The map of a node that reads maps of the shapes `read` and writes one of `shape`.

        `weights` is where its weights lie, if others may have them too.
        """
        label = _hash(f"{spell_payload(payload)} : {shape}")
        if not isinstance(payload, Apply):
            self._maps.append(_Term(label, tuple(reads), ends=isinstance(payload, Result)))
            return len(self._maps) - 1
        primitive = PRIMITIVES[payload.primitive]
        traits = primitive.traits
        values = values_read(payload, reads)
        # Zeros that the others are spread over make a difference.
        if traits.zeros or (traits.adds and all(each == shape for each in read)):
            return self.sum((each, None) for each in values)
        tensors = primitive.weights(read, payload.attribute)
        linear = traits.absorbs_batch_norm and all(each.role is not Role.BIAS for each in tensors)
        own = bool(tensors) or traits.random
        if weights is not None:
            self._sharing.setdefault(weights.spelled, []).append(len(self._maps))
        self._maps.append(_Term(label, tuple(values), traits.commutative, own, traits.keeps_zeros or linear))
        return len(self._maps) - 1

    def fingerprint(self, columns: Mapping[Hashable, Column]) -> Column:
        """A number for each network, equal for those that are the same function. `columns` are those of the sums."""
        colours: dict[int, Column] = {}
        values: list[Column] = []
        for _ in range(_ROUNDS):
            values = self._values(columns, colours)
            colours = self._shared(self._colours(columns, values))
        ends = [_mixed(values[at]) for at, each in enumerate(self._maps) if isinstance(each, _Term) and each.ends]
        return _total([*ends, *colours.values()])

    def _values(self, columns: Mapping[Hashable, Column], colours: Mapping[int, Column]) -> list[Column]:
        """Of each map the number of its sum, from the images on."""
        values: list[Column] = []
        for at, each in enumerate(self._maps):
            if isinstance(each, _Sum):
                parts = (values[part] if key is None else values[part] * columns[key] for part, key in each.parts)
                values.append(_total(parts))
                continue
            read = _total(_mixed(values[part] + place) for part, place in _places(each))
            value = _mixed(colours.get(at, each.label) + read)
            if each.keeps_zeros:
                value = value * _any(values[part] != 0 for part in each.reads)
            values.append(value)
        return values

    def _colours(self, columns: Mapping[Hashable, Column], values: Sequence[Column]) -> dict[int, Column]:
        """Of each term with weights a number of what it computes and of what reads it; 0 where nothing does."""
        readers: list[Column] = [0] * len(self._maps)
        colours: dict[int, Column] = {}
        for at in reversed(range(len(self._maps))):
            each, found = self._maps[at], readers[at]
            if isinstance(each, _Sum):
                for part, key in each.parts:
                    readers[part] = (readers[part] + (found if key is None else found * columns[key])) & _ALL
                continue
            if each.ends:
                found = _mixed(values[at])
            elif each.own:
                found = colours[at] = _mixed(values[at] + _mixed(found)) * (found != 0) * (values[at] != 0)
            else:  # linear, so that two that compute the same are one with the readers of both
                found = found * (_mixed(values[at]) | 1) * (values[at] != 0) & _ALL
            for part, place in _places(each):
                readers[part] = (readers[part] + found * (place | 1)) & _ALL
        return colours

    def _shared(self, colours: Mapping[int, Column]) -> dict[int, Column]:
        """Of each term with weights also what else has them: nothing, where no other one is part of the network."""
        found = dict(colours)
        for places in self._sharing.values():
            for at in places:
                others = _total(colours[each] for each in places if each != at)
                found[at] = (colours[at] + _mixed(others) * (others != 0) * (colours[at] != 0)) & _ALL
        return found


def fingerprint(graph: ClosedGraph) -> int:
    """Equal for networks that are one function of their images and weights, auxiliary outputs among it."""
    terms = Terms()
    places: dict[str, int] = {}
    for node, inputs in graph.nodes():
        reads = [places[source] for source in inputs]
        places[node.path] = terms.apply(node.payload, reads, graph.input_shapes(node.path), node.shape, node.weights)
    return terms.fingerprint({})


def same_network(one: ClosedGraph, other: ClosedGraph) -> bool:
    """Whether two networks are one function: they differ in names, order, grouping of sums and what zeros cut off."""
    return fingerprint(one) == fingerprint(other)


# Numbers of 64 bits: arrays wrap by themselves, integers do not ----------------------------------

_ALL: Final = (1 << 64) - 1


def _places(term: _Term) -> Iterable[tuple[int, int]]:
    """What a term reads, each with a number for the place at which it does."""
    return ((part, _hash(f"place {0 if term.commutes else place}")) for place, part in enumerate(term.reads))


def _total(columns: Iterable[Column]) -> Column:
    total: Column = 0
    for column in columns:
        total = (total + column) & _ALL
    return total


def _any(columns: Iterable[Column]) -> Column:
    found: Column = False
    for column in columns:
        found = found | column
    return found


def _mixed(number: Column) -> Column:
    """The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): a permutation of the numbers without structure."""
    number = (number + 0x9E3779B97F4A7C15) & _ALL
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _ALL
    return number ^ (number >> 31)


@cache
def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")
