"""What a set of answers makes of a program: which nodes are computed, for which branch, and what was asked.

A question is asked only where a computed node reads it (rule 10), so the walk goes back from the outputs and looks an
answer up where it meets its question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archdsl.ops import Count, Dim, Shape, ShapeError
from archdsl.ops.dims import Leaf
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.facts import Chosen, MapChannels, Piecewise, holds
from archdsl.space.program import (
    Absent,
    Apply,
    Asked,
    Image,
    Keep,
    Label,
    Measured,
    Node,
    OfBranch,
    Payload,
    Program,
    Question,
    Result,
    Searching,
    Select,
)

Answers: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""Answers by question path; those to `per branch` questions under `branch.path`."""

Key: TypeAlias = "tuple[int, str]"
"""A node, and the branch that computes it (empty where that makes no difference)."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A node of the network: nothing about it is open."""

    node: int
    branch: str
    payload: Payload
    inputs: tuple[Key, ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Misfit:
    """Maps that do not fit together under these answers."""

    node: int
    error: ShapeError


@dataclass(frozen=True)
class Trace:
    """The network that answers give, in topological order."""

    computed: Mapping[Key, Computed]
    asked: Mapping[str, Question]
    """Every question that was met, under the path that its answer has: `b.trunk[5][8].operator`."""
    missing: tuple[str, ...] = ()
    """Those that have no answer."""
    misfits: tuple[Misfit, ...] = field(default=())

    @property
    def closed(self) -> bool:
        return not self.missing and not self.misfits


def trace(program: Program, answers: Answers) -> Trace:
    """Walk a program under answers. Answers that are candidates are taken for granted: check them first."""
    walk = _Walk(program, answers, varying(program))
    for index in program.results:
        walk.go((index, ""))
    return Trace(walk.computed, walk.asked, tuple(walk.missing), tuple(walk.misfits))


class _Needs(Exception):
    """A node has to be known first."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


class _Open(Exception):
    """A question on the way has no answer."""


@dataclass(slots=True)
class _Walk:
    program: Program
    answers: Answers
    per_branch: frozenset[int]
    """The nodes that can differ from branch to branch."""
    resolved: dict[Key, Key | None] = field(default_factory=dict["Key", "Key | None"])
    """What each node comes down to; None where its map is absent or open."""
    computed: dict[Key, Computed] = field(default_factory=dict["Key", Computed])
    asked: dict[str, Question] = field(default_factory=dict[str, Question])
    missing: dict[str, None] = field(default_factory=dict[str, None])
    misfits: list[Misfit] = field(default_factory=list[Misfit])

    def go(self, start: Key) -> None:
        waiting = [self.key(*start)]
        while waiting:
            key = waiting[-1]
            if key in self.resolved:
                waiting.pop()
                continue
            try:
                self.resolved[key] = self.resolve(key)
                waiting.pop()
            except _Needs as needs:
                waiting.append(needs.key)
            except _Open:
                self.resolved[key] = None
                waiting.pop()

    def key(self, node: int, branch: str) -> Key:
        return (node, branch if node in self.per_branch else "")

    def known(self, node: int, branch: str) -> Key | None:
        key = self.key(node, branch)
        if key not in self.resolved:
            raise _Needs(key)
        return self.resolved[key]

    def resolve(self, key: Key) -> Key | None:
        index, branch = key
        node = self.program.nodes[index]
        match node.payload:
            case Absent():
                return None
            case OfBranch(name):
                return self.known(node.inputs[0], name)
            case Select(subject, labels):
                return self.select(node, subject, labels, branch)
            case Keep(question, labels):
                kept = self.answer(question, branch)
                inputs = [source for label, source in zip(labels, node.inputs, strict=True) if label in kept]
                return self.apply(key, replace(node, payload=Apply(ADD.name), inputs=tuple(inputs)))
            case Image() | Result():
                sources = [self.known(source, branch) for source in node.inputs]
                present = tuple(source for source in sources if source is not None)
                if len(present) < len(sources):
                    return None
                shape = self.computed[present[0]].shape if present else node.shape
                return self.compute(key, node.payload, present, shape)
            case Apply():
                return self.apply(key, node)

    def select(
        self, node: Node, subject: Asked | Searching | Measured, labels: tuple[Label, ...], branch: str
    ) -> Key | None:
        match subject:
            case Asked(question):
                answer = self.answer(question, branch)[0]
            case Searching():
                answer = "no"
            case Measured(count):
                number = self.number(count, branch)
                source = next(s for label, s in zip(labels, node.inputs, strict=True) if holds(label, number))
                return self.known(source, branch)
        source = next((s for label, s in zip(labels, node.inputs, strict=True) if label == answer), None)
        return None if source is None else self.known(source, branch)

    def apply(self, key: Key, node: Node) -> Key | None:
        branch = key[1]
        assert isinstance(node.payload, Apply)
        primitive = PRIMITIVES[node.payload.primitive]
        sources = [self.known(source, branch) for source in node.inputs]
        present = tuple(source for source in sources if source is not None)
        if len(present) < (1 if primitive.variadic else len(sources)):
            return None
        payload = node.payload
        if any(isinstance(value, Dim) for _, value in payload.attributes):
            fixed = tuple(
                (name, self.number(value, branch) if isinstance(value, Dim) else value)
                for name, value in payload.attributes
            )
            payload = Apply(payload.primitive, fixed)
        try:
            shape = primitive.shape([self.computed[source].shape for source in present], dict(payload.attributes))
        except ShapeError as error:
            self.misfits.append(Misfit(key[0], error))
            return None
        return self.compute(key, payload, present, shape)

    def compute(self, key: Key, payload: Payload, inputs: tuple[Key, ...], shape: Shape) -> Key:
        self.computed[key] = Computed(key[0], key[1], payload, inputs, shape)
        return key

    def answer(self, path: str, branch: str) -> tuple[str, ...]:
        question = self.program.questions[path]
        name = f"{branch}.{path}" if question.per_branch and branch else path
        self.asked[name] = question
        if name not in self.answers:
            self.missing[name] = None
            raise _Open
        return self.answers[name]

    def number(self, count: Count, branch: str) -> int:
        return count if isinstance(count, int) else count.evaluate(lambda leaf: self.leaf(leaf, branch))

    def leaf(self, leaf: Leaf, branch: str) -> int:
        match leaf:
            case Chosen(question, numbers):
                answer = self.answer(question, branch)[0]
                return next(number for number in numbers if str(number) == answer)
            case MapChannels(node):
                source = self.known(node, branch)
                return 0 if source is None else self.number(self.computed[source].shape.channels, branch)
            case Piecewise(subject, arms):
                number = self.number(subject, branch)
                return self.number(next(count for label, count in arms if holds(label, number)), branch)
            case _:
                raise TypeError(f"{type(leaf).__name__} is no number that answers decide")


def varying(program: Program) -> frozenset[int]:
    """The nodes whose map can differ from branch to branch."""
    found: set[int] = set()
    for index, node in enumerate(program.nodes):
        if isinstance(node.payload, OfBranch):
            continue
        if (
            any(source in found for source in node.inputs)
            or any(_depends(program, found, leaf) for leaf in _leaves(node.payload))
            or ((question := _question(node.payload)) is not None and program.questions[question].per_branch)
        ):
            found.add(index)
    return frozenset(found)


def _question(payload: Payload) -> str | None:
    match payload:
        case Select(Asked(question), _) | Keep(question, _):
            return question
        case _:
            return None


def _leaves(payload: Payload) -> Iterator[Leaf]:
    match payload:
        case Apply(_, attributes):
            for _, value in attributes:
                if isinstance(value, Dim):
                    yield from value.leaves()
        case Select(Measured(Dim() as count), _):
            yield from count.leaves()
        case _:
            return


def _depends(program: Program, found: set[int], leaf: Leaf) -> bool:
    match leaf:
        case Chosen(question):
            return program.questions[question].per_branch
        case MapChannels(node):
            return node in found
        case Piecewise(subject, arms):
            counts = [subject, *(count for _, count in arms)]
            return any(
                _depends(program, found, inner)
                for count in counts
                if isinstance(count, Dim)
                for inner in count.leaves()
            )
        case _:
            return False
