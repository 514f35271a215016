"""The domains in which a map is a computed node or absent, and a number is an int."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.ops import Dim, Shape, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Label, Node, Payload, Question
from archdsl.space.symbolic_channels import Chosen, holds
from archdsl.space.walk import Key, Reading

Answer: TypeAlias = "tuple[str, ...]"
"""An answer to a question: one candidate, or of a KEEP question as many as are kept."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A node of the network: nothing about it is open."""

    key: Key
    payload: Payload
    inputs: tuple[Key, ...]
    shape: Shape


class Concrete(ABC):
    """A map is the key of the node that computes it, or None where it is absent; `computed` has the nodes."""

    searching = False

    def __init__(self) -> None:
        self.computed: dict[Key, Computed] = {}

    @abstractmethod
    def answer(self, path: QuestionPath, question: Question) -> Answer:
        """The one answer that is followed. Raises Unanswered."""

    @abstractmethod
    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> int:
        """The number that is followed. Raises Unanswered."""

    @abstractmethod
    def fit(self, key: Key, payload: Apply, inputs: Sequence[Shape]) -> Shape | None:
        """The shape of a primitive's map, or None where its inputs do not fit together."""

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return self.answer(path, question)

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return self.answer(path, question)

    def arms(self, subject: int, labels: Sequence[Label]) -> Sequence[int]:
        return [next(position for position, label in enumerate(labels) if holds(label, subject))]

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> Key | None:
        return self._compute(key, node.payload, (), node.shape)

    def apply(
        self,
        key: Key,
        node: Node,
        payload: Apply,
        attributes: Mapping[str, Value | int],
        inputs: Sequence[Key | None],
    ) -> Key | None:
        present = tuple(source for source in inputs if source is not None)
        primitive = PRIMITIVES[payload.primitive]
        if len(present) < (1 if primitive.variadic else len(inputs)):
            return None
        if len(present) == 1 and primitive.traits.identity_of_one:
            return present[0]  # a sum or concat of one map is that map
        if any(isinstance(value, Dim) for _, value in payload.attributes):
            payload = Apply(payload.primitive, tuple(attributes.items()))
        shape = self.fit(key, payload, [self.computed[source].shape for source in present])
        return None if shape is None else self._compute(key, payload, present, shape)

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, Key | None]) -> Key | None:
        (picked,) = options.values()
        return picked

    def keep(
        self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, Key | None]
    ) -> Key | None:
        return self.apply(key, node, Apply(ADD.name), {}, tuple(options.values()))

    def measured(self, key: Key, subject: int, options: Sequence[tuple[Label, Key | None]]) -> Key | None:
        ((_, picked),) = options
        return picked

    def unread(self, key: Key, readings: Sequence[Reading], source: Key | None) -> Key | None:
        read = [label in self.answer(path, question) for path, question, label in readings]
        return None if any(read) else source

    def absent(self, key: Key) -> Key | None:
        return None

    def result(self, key: Key, node: Node, source: Key | None) -> Key | None:
        return None if source is None else self._compute(key, node.payload, (source,), self.computed[source].shape)

    def unanswered(self, key: Key) -> Key | None:
        return None

    def _compute(self, key: Key, payload: Payload, inputs: tuple[Key, ...], shape: Shape) -> Key:
        self.computed[key] = Computed(key, payload, inputs, shape)
        return key

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> int:
        return number

    def channels(self, source: Key | None) -> int:
        """The channels of a map that is not there are none."""
        if source is None:
            return 0
        channels = self.computed[source].shape.channels
        assert isinstance(channels, int)
        return channels

    def piecewise(self, subject: int, arms: Sequence[tuple[Label, int]]) -> int:
        ((_, number),) = arms
        return number

    @abstractmethod
    def total(self, count: Dim, leaves: Mapping[Leaf, int]) -> int:
        """A polynomial of numbers. What is not whole fits nothing."""
