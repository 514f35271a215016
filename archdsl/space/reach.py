"""What answers can make of the nodes of a program: which are computed, which maps can be there, which can be one.

Questions are taken one by one and branches for one, so some of what is possible here no genotype may have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from archdsl.ops import Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Label, Node, Program, Question, Result
from archdsl.space.symbolic_channels import Chosen, holds
from archdsl.space.walk import Key, Reading, Walk


@dataclass(frozen=True, slots=True)
class Presence:
    there: bool
    """Whether some answers give the map."""
    absent: bool
    """Whether some answers leave it out."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a node can be."""

    node: int
    presence: Presence
    origins: frozenset[int]
    """The nodes whose map it can be."""
    reads: frozenset[int] = frozenset()
    """The nodes that it can read."""

    def at(self, node: int) -> Reached:
        """The map as a node that only hands it on."""
        return self if node == self.node else Reached(node, self.presence, self.origins, frozenset({self.node}))


@dataclass(frozen=True)
class Reach:
    """A program at inference, whatever is answered."""

    program: Program

    @cached_property
    def _nodes(self) -> Mapping[int, Reached]:
        walk = Walk(self.program, _Bound(), by_branch=False)
        for index in self.program.results:
            payload = self.program.nodes[index].payload
            if isinstance(payload, Result) and not payload.auxiliary:
                walk.of(index)
        return {key.node: reached.at(key.node) for key, reached in walk.values.items()}

    @property
    def nodes(self) -> frozenset[int]:
        """The nodes that a network can compute."""
        return frozenset(self._nodes)

    def presence(self, node: int) -> Presence:
        """Whether its map can be there; what no network computes is absent."""
        return self._nodes[node].presence if node in self._nodes else Presence(there=False, absent=True)

    def origins(self, node: int) -> frozenset[int]:
        """The nodes whose map it can be."""
        return self._nodes[node].origins if node in self._nodes else frozenset()

    def can_be_one(self, one: int, other: int) -> bool:
        """Whether some answers can make one map of both."""
        return not self.origins(one).isdisjoint(self.origins(other))

    def reads(self, node: int) -> frozenset[int]:
        """The nodes that a node can read, seen through those that only hand a map on."""
        return self._nodes[node].reads


@final
class _Bound:
    """A map is all that it can be; numbers say nothing."""

    searching = False

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def arms(self, subject: int | None, labels: Sequence[Label]) -> Sequence[int]:
        if subject is None:
            return range(len(labels))
        return [next(position for position, label in enumerate(labels) if holds(label, subject))]

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> Reached:
        return _itself(key, Presence(there=True, absent=False), ())

    def apply(
        self,
        key: Key,
        node: Node,
        payload: Apply,
        attributes: Mapping[str, Value | None],
        inputs: Sequence[Reached],
    ) -> Reached:
        primitive = PRIMITIVES[payload.primitive]
        presence = _of_some(inputs) if primitive.variadic else _of_all(inputs)
        # A sum of one map is that map.
        alone = inputs if primitive.traits.identity_of_one else ()
        return _itself(key, presence, inputs, alone)

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, Reached]) -> Reached:
        return self._one_of(key, list(options.values()))

    def measured(self, key: Key, subject: int | None, options: Sequence[tuple[Label, Reached]]) -> Reached:
        return self._one_of(key, [each for _, each in options])

    def _one_of(self, key: Key, options: Sequence[Reached]) -> Reached:
        presence = Presence(_any_there(options), any(each.presence.absent for each in options))
        origins = frozenset[int]().union(*(each.origins for each in options))
        return Reached(key.node, presence, origins, _nodes(options))

    def keep(
        self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, Reached]
    ) -> Reached:
        inputs = list(options.values())
        absent = sum(each.presence.absent for each in inputs) >= question.keep
        return _itself(key, Presence(_any_there(inputs), absent), inputs, inputs)

    def unread(self, key: Key, readings: Sequence[Reading], source: Reached) -> Reached:
        return self._one_of(key, [source, self.absent(key)])

    def absent(self, key: Key) -> Reached:
        return Reached(key.node, Presence(there=False, absent=True), frozenset())

    def result(self, key: Key, node: Node, source: Reached) -> Reached:
        return _itself(key, source.presence, [source])

    def unanswered(self, key: Key) -> Reached:
        raise AssertionError("every question is followed here")

    # Numbers: those that the text fixes ----------------------------------------------------------

    def constant(self, number: int) -> int | None:
        return number

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> int | None:
        return None

    def channels(self, source: Reached) -> int | None:
        return None

    def piecewise(self, subject: int | None, arms: Sequence[tuple[Label, int | None]]) -> int | None:
        return arms[0][1] if subject is not None else None

    def total(self, count: Dim, leaves: Mapping[Leaf, int | None]) -> int | None:
        return None


def _itself(key: Key, presence: Presence, inputs: Sequence[Reached], alone: Sequence[Reached] = ()) -> Reached:
    """A node with a map of its own, or where all but one of its inputs are absent that of one of `alone`."""
    origins = frozenset({key.node}).union(*(each.origins for each in alone))
    return Reached(key.node, presence, origins, _nodes(inputs))


def _nodes(inputs: Sequence[Reached]) -> frozenset[int]:
    return frozenset(each.node for each in inputs)


def _of_some(inputs: Sequence[Reached]) -> Presence:
    return Presence(_any_there(inputs), all(each.presence.absent for each in inputs))


def _of_all(inputs: Sequence[Reached]) -> Presence:
    return Presence(all(each.presence.there for each in inputs), any(each.presence.absent for each in inputs))


def _any_there(inputs: Sequence[Reached]) -> bool:
    return any(each.presence.there for each in inputs)
