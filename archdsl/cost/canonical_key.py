"""Which ops of a space can turn out to be the same: those at 16 places of a grid are laid out once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from archdsl.cost.variants import Piece
from archdsl.ops import Count, Dim
from archdsl.ops.dims import Leaf
from archdsl.space import Apply, Asked, Branch, Chosen, Keep, MapChannels, Measured, OfBranch, Piecewise, Select
from archdsl.space.reach import Reach


def canonical_key(piece: Piece, reach: Reach) -> Hashable:
    """Equal for pieces whose variants are equal: what answers decide is numbered instead of named."""
    return _Key(piece, reach).of_piece()


@dataclass(slots=True)
class _Key:
    piece: Piece
    reach: Reach
    numbers: dict[Hashable, int] = field(default_factory=dict["Hashable", int])
    inside: dict[int, int] = field(default_factory=dict[int, int])

    def of_piece(self) -> Hashable:
        self.inside = {node: number for number, node in enumerate(self.piece.nodes)}
        nodes = self.reach.program.nodes
        outside = dict.fromkeys(each for node in self.piece.nodes for each in nodes[node].inputs)
        maps = [node for node in outside if node not in self.inside]
        return (
            self.piece.whole,
            tuple(self.inside[root] for root in self.piece.roots),
            tuple(self._outside(node) for node in maps),
            tuple(self.reach.can_be_one(one, other) for one in maps for other in maps) if len(maps) > 1 else (),
            tuple((self._payload(node), tuple(map(self._source, nodes[node].inputs))) for node in self.piece.nodes),
        )

    def _number(self, what: Hashable) -> int:
        return self.numbers.setdefault(what, len(self.numbers))

    def _source(self, node: int) -> tuple[bool, int]:
        return (True, self.inside[node]) if node in self.inside else (False, self._number(("map", node)))

    def _outside(self, index: int) -> Hashable:
        node = self.reach.program.nodes[index]
        branch = node.payload.branch if isinstance(node.payload, OfBranch) else None
        shape = (self._count(node.shape.channels, branch), node.shape.height, node.shape.width)
        return self._source(index), self.reach.presence(index), shape

    def _payload(self, index: int) -> Hashable:
        node = self.reach.program.nodes[index]
        match node.payload:
            case Apply(primitive, attributes):
                return primitive, tuple(
                    (name, type(value), self._count(value) if isinstance(value, Dim) else value)
                    for name, value in attributes
                )
            case Select(Asked(path), labels) | Keep(path, labels):
                question = self.reach.program.questions[path]
                return type(node.payload), self._number(path), labels, question.answers, question.keep
            case Select(Measured(count), labels):
                return self._count(count), labels
            case other:
                return other

    def _count(self, count: Count, branch: Branch | None = None) -> Hashable:
        if isinstance(count, int):
            return count
        return tuple(
            (coefficient, tuple(self._leaf(leaf, branch) for leaf in monomial)) for monomial, coefficient in count.terms
        )

    def _leaf(self, leaf: Leaf, branch: Branch | None) -> Hashable:
        match leaf:
            case Chosen(path, numbers):
                return self._number(self.reach.program.questions[path].asked_by(branch)), numbers
            case Piecewise(subject, arms):
                return self._count(subject, branch), tuple((label, self._count(each, branch)) for label, each in arms)
            case MapChannels(node) if node in self.inside:
                return "inside", self.inside[node]
            case _:
                return self._number(leaf), leaf.domain()
