"""A program under all answers at once: what each map comes down to, and its channels, as decision diagrams."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, final

from archdsl.cost.expectation.diagrams import Diagram, Diagrams, TooLarge
from archdsl.ops import Dim, Shape, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.joining import ADD
from archdsl.ops.model import ShapeError
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Apply,
    Chosen,
    Image,
    Label,
    MapChannels,
    Node,
    Payload,
    Program,
    Question,
    QuestionKind,
    Result,
)
from archdsl.space.dependencies import answers_of, size
from archdsl.space.path import QuestionPath
from archdsl.space.symbolic_channels import holds
from archdsl.space.walk import Key, Reading, Walk

EVERY: tuple[str, ...] = ("every candidate",)
"""The answer to a KEEP question under which all are kept, as a supernet does."""


class Variable(NamedTuple):
    """A question, or a branch's answer to one, with the answers that it can have."""

    path: QuestionPath
    answers: tuple[tuple[str, ...], ...]

    @property
    def keeps(self) -> bool:
        """Whether all candidates can be kept, as its last answer."""
        return self.answers[-1] == EVERY


@dataclass(frozen=True, slots=True)
class Made:
    """A node that some answers compute."""

    payload: Payload
    attributes: Mapping[str, Value]
    """Those that no answer decides."""
    numbers: Mapping[str, Diagram]
    """Those that answers decide."""
    inputs: tuple[Diagram, ...]
    """What each input comes down to."""
    channels: Diagram
    height: int
    width: int


Origin: TypeAlias = "Key | Entry"


class Entry(NamedTuple):
    """A map from outside of what is walked."""

    key: Key


class Variables:
    """The variables of a program, in the order in which diagrams ask them: the last questions of a text first.

    What is read hangs on later questions, and what it is on earlier ones.
    """

    def __init__(self, program: Program, limit: int) -> None:
        """Raises TooLarge where a question has more than `limit` answers."""
        self.all: list[Variable] = []
        self.number: dict[QuestionPath, int] = {}
        for path, question in reversed(list(program.questions.items())):
            if size(question) > limit:
                raise TooLarge
            answers = tuple(answers_of(question))
            if question.kind is QuestionKind.KEEP:
                answers = (*answers, EVERY)
            owners = (None, *program.branches) if question.per_branch else (None,)
            for owner in owners:
                self.number[path.of(owner)] = len(self.all)
                self.all.append(Variable(path.of(owner), answers))


@final
class Symbolic:
    """A map is a diagram of the node that computes it, or None; a number is a diagram of whole numbers."""

    searching = False

    def __init__(
        self,
        program: Program,
        diagrams: Diagrams,
        variables: Variables,
        *,
        around: Symbolic | None = None,
        inside: Container[int] = (),
    ) -> None:
        """With `around`, the nodes `inside` alone; what they read from outside is taken from it."""
        self.program = program
        self.diagrams = diagrams
        self.variables = variables
        self.around = around
        self.inside = inside
        self.made: dict[Origin, Made] = {}
        self.walk: Walk[Diagram, Diagram] = Walk(program, self, region=None if around is None else self)

    # What lies outside --------------------------------------------------------------------------

    def is_there(self, key: Key, node: Node) -> bool:
        return True  # diagrams say whether it is

    def enter(self, key: Key, node: Node, channels: Diagram) -> Diagram:
        assert self.around is not None
        outside = self.around.walk.of(key.node, key.branch)
        entry = Entry(key)
        self.made[entry] = Made(
            node.payload, {}, {}, (), self.around.channels(outside), node.shape.height, node.shape.width
        )
        there = self.there(outside)
        return self.diagrams.choose(there, self.diagrams.leaf(entry), self.diagrams.leaf(None))

    def channels_of(self, leaf: MapChannels) -> Diagram:
        assert self.around is not None
        return self.around.channels(self.around.walk.of(leaf.node))

    # Questions ----------------------------------------------------------------------------------

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def arms(self, subject: Diagram, labels: Sequence[Label]) -> Sequence[int]:
        return sorted({_arm(labels, number) for number in self.diagrams.leaves(subject)})

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> Diagram:
        assert isinstance(node.payload, Image)
        return self._make(key, node.payload, {}, {}, (), self.diagrams.leaf(node.shape.channels), node.shape)

    def apply(
        self,
        key: Key,
        node: Node,
        payload: Apply,
        attributes: Mapping[str, Value | Diagram],
        inputs: Sequence[Diagram],
    ) -> Diagram:
        open_ = {name for name, value in payload.attributes if isinstance(value, Dim)}
        numbers = {name: value for name, value in attributes.items() if name in open_ and isinstance(value, int)}
        fixed = {name: value for name, value in payload.attributes if name not in open_}
        return self._applied(key, node, payload, fixed, numbers, inputs)

    def _applied(
        self,
        key: Key,
        node: Node,
        payload: Payload,
        fixed: Mapping[str, Value],
        numbers: Mapping[str, Diagram],
        inputs: Sequence[Diagram],
    ) -> Diagram:
        assert isinstance(payload, Apply)
        primitive = PRIMITIVES[payload.primitive]
        mine, absent = self.diagrams.leaf(key), self.diagrams.leaf(None)
        if primitive.traits.identity_of_one:
            only = absent
            several = self.diagrams.leaf(False)
            for each in inputs:
                already = self.there(only)
                several = self.diagrams.either(several, self.diagrams.conjunction(self.there(each), already))
                only = self.diagrams.choose(already, only, each)
            found = self.diagrams.choose(several, mine, only)
        else:
            found = self.diagrams.choose(self.diagrams.conjunction(*map(self.there, inputs)), mine, absent)
        channels = self._written(node, payload, fixed, numbers, inputs)
        self._make(key, payload, fixed, numbers, inputs, channels, node.shape)
        return found

    def _written(
        self,
        node: Node,
        payload: Apply,
        fixed: Mapping[str, Value],
        numbers: Mapping[str, Diagram],
        inputs: Sequence[Diagram],
    ) -> Diagram:
        """The channels of its map, 0 where its inputs do not fit: no answers that are asked together give that."""
        if isinstance(node.shape.channels, int):
            return self.diagrams.leaf(node.shape.channels)
        primitive = PRIMITIVES[payload.primitive]
        sizes = [self.program.nodes[source].shape for source in node.inputs]
        names = tuple(numbers)
        name = ("written", payload.primitive, tuple(fixed.items()), names, tuple(size[1:] for size in sizes))

        def written(*given: int) -> int:
            read, attributes = given[: len(sizes)], dict(zip(names, given[len(sizes) :], strict=True))
            shapes = [Shape(count, size.height, size.width) for count, size in zip(read, sizes, strict=True) if count]
            if not shapes or (len(shapes) < len(sizes) and not primitive.variadic):
                return 0
            try:
                channels = primitive.shape(shapes, {**fixed, **attributes}).channels
            except ShapeError:
                return 0
            assert isinstance(channels, int)
            return channels

        return self.diagrams.apply(name, written, *(self.channels(each) for each in inputs), *numbers.values())

    def _make(
        self,
        key: Key,
        payload: Payload,
        fixed: Mapping[str, Value],
        numbers: Mapping[str, Diagram],
        inputs: Sequence[Diagram],
        channels: Diagram,
        shape: Shape,
    ) -> Diagram:
        self.made[key] = Made(payload, fixed, numbers, tuple(inputs), channels, shape.height, shape.width)
        return self.diagrams.leaf(key)

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, Diagram]) -> Diagram:
        return self.diagrams.ask(self.variables.number[path], [options[answer] for answer in question.answers])

    def keep(
        self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, Diagram]
    ) -> Diagram:
        number, absent = self.variables.number[path], self.diagrams.leaf(None)
        answers = self.variables.all[number].answers
        kept = [
            self.diagrams.ask(number, [option if label in answer or answer == EVERY else absent for answer in answers])
            for label, option in options.items()
        ]
        return self._applied(key, node, Apply(ADD.name), {}, {}, kept)

    def measured(self, key: Key, subject: Diagram, options: Sequence[tuple[Label, Diagram]]) -> Diagram:
        labels = [label for label, _ in options]
        return self.diagrams.bind(
            subject, {number: options[_arm(labels, number)][1] for number in self.diagrams.leaves(subject)}
        )

    def there(self, source: Diagram) -> Diagram:
        """Whether it is there."""
        return self.diagrams.apply("there", _is_there, source)

    def origins(self, source: Diagram) -> list[Origin]:
        """The nodes that it can come down to."""
        return [origin for origin in self.diagrams.leaves(source) if isinstance(origin, Key | Entry)]

    def unread(self, key: Key, readings: Sequence[Reading], source: Diagram) -> Diagram:
        absent = self.diagrams.leaf(None)
        for path, _, label in readings:
            number = self.variables.number[path]
            named = [label in answer for answer in self.variables.all[number].answers]
            source = self.diagrams.ask(number, [absent if each else source for each in named])
        return source

    def absent(self, key: Key) -> Diagram:
        return self.diagrams.leaf(None)

    def result(self, key: Key, node: Node, source: Diagram) -> Diagram:
        assert isinstance(node.payload, Result)
        self._make(key, node.payload, {}, {}, (source,), self.channels(source), node.shape)
        return source

    def unanswered(self, key: Key) -> Diagram:
        raise AssertionError("every question is followed here")

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> Diagram:
        return self.diagrams.leaf(number)

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> Diagram:
        numbers = {str(number): number for number in leaf.numbers}
        options = [self.diagrams.leaf(numbers[answer]) for answer in question.answers]
        return self.diagrams.ask(self.variables.number[path], options)

    def channels(self, source: Diagram) -> Diagram:
        after: dict[Hashable, Diagram] = {origin: self.made[origin].channels for origin in self.origins(source)}
        return self.diagrams.bind(source, {None: self.diagrams.leaf(0), **after})

    def piecewise(self, subject: Diagram, arms: Sequence[tuple[Label, Diagram]]) -> Diagram:
        labels = [label for label, _ in arms]
        return self.diagrams.bind(
            subject, {number: arms[_arm(labels, number)][1] for number in self.diagrams.leaves(subject)}
        )

    def total(self, count: Dim, leaves: Mapping[Leaf, Diagram]) -> Diagram:
        order = tuple(leaves)

        def evaluate(*numbers: int) -> int:
            try:
                return count.evaluate(dict(zip(order, numbers, strict=True)).__getitem__)
            except ArithmeticError:
                return 0

        return self.diagrams.apply(("total", count), evaluate, *leaves.values())


def _is_there(origin: Hashable) -> bool:
    return origin is not None


def _arm(labels: Sequence[Label], number: Hashable) -> int:
    assert isinstance(number, int)
    return next(position for position, label in enumerate(labels) if holds(label, number))
