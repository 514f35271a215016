"""What a node needs to be known, down to the next questions: the structure that counting and sampling work on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Final, TypeAlias

from archdsl.ops import Dim
from archdsl.ops.dims import Leaf
from archdsl.space.facts import Chosen, MapChannels, Piecewise, holds
from archdsl.space.program import (
    Absent,
    Apply,
    Asked,
    Image,
    Keep,
    Label,
    Measured,
    OfBranch,
    Program,
    Question,
    QuestionKind,
    Result,
    Searching,
    Select,
    Subject,
)
from archdsl.space.trace import Key, varying

Answer: TypeAlias = "tuple[str, ...]"

ANSWER_LIMIT: Final = 2_000
"""No question that changes what else is asked may have more answers: 20 of 40 inputs are 137,846,528,820."""


@dataclass(frozen=True, slots=True)
class Need:
    """What follows from a node being computed, before any question is answered."""

    forks: frozenset[Key] = frozenset()
    """Nodes at which the way on depends on an answer."""
    asks: frozenset[str] = frozenset()
    """Questions that are asked and whose answer changes nothing else that is asked."""

    def __or__(self, other: Need) -> Need:
        # In a long chain needs are large, and most of what is joined is there already.
        if self is other or (other.forks <= self.forks and other.asks <= self.asks):
            return self
        if self.forks <= other.forks and self.asks <= other.asks:
            return other
        return Need(self.forks | other.forks, self.asks | other.asks)


NO_NEED = Need()
_ON_WIDTHS: Final = "what is asked depends on channel counts that answers decide"


class Unforeseen(Exception):
    """What answers need cannot be listed; the text says why."""


@dataclass(slots=True)
class Demand:
    """The forks of a program, with what each answer to them needs."""

    program: Program
    forks: dict[Key, dict[Answer, Need]] = field(default_factory=dict["Key", "dict[Answer, Need]"])
    asking: dict[Key, str] = field(default_factory=dict["Key", str])
    """The name of the question at each fork: `b.trunk[5][8].operator`."""
    questions: dict[str, Question] = field(default_factory=dict[str, Question])
    start: Need = NO_NEED
    """What the outputs need."""

    @classmethod
    def of(cls, program: Program) -> Demand:
        """Raises Unforeseen."""
        forking: set[str] = set()
        while True:
            builder = _Builder(cls(program), varying(program), forking)
            builder.build()
            if not builder.found - forking:
                builder.demand.forget_unreached()
                return builder.demand
            forking |= builder.found

    def forget_unreached(self) -> None:
        """Leaves out the forks to which no way leads: those of a place that only branches read, seen by nobody."""
        waiting, reached = list(self.start.forks), set(self.start.forks)
        while waiting:
            for need in self.forks[waiting.pop()].values():
                waiting.extend(need.forks - reached)
                reached |= need.forks
        self.forks = {fork: options for fork, options in self.forks.items() if fork in reached}
        self.asking = {fork: name for fork, name in self.asking.items() if fork in reached}


def size(question: Question) -> int:
    """How many answers a question has."""
    if question.kind is QuestionKind.KEEP:
        return comb(len(question.answers), question.keep)
    return len(question.answers)


def answers_of(question: Question) -> Sequence[Answer]:
    """Every answer to a question."""
    if question.kind is QuestionKind.KEEP:
        return tuple(combinations(question.answers, question.keep))
    return tuple((answer,) for answer in question.answers)


@dataclass(slots=True)
class _Builder:
    """Needs from the inputs up. A question is taken to change nothing until a node shows that it does."""

    demand: Demand
    per_branch: frozenset[int]
    forking: set[str]
    """Questions, by path, that are known to change what else is asked."""
    found: set[str] = field(default_factory=set[str])
    needs: dict[Key, Need] = field(default_factory=dict["Key", Need])

    def build(self) -> None:
        branches = ["", *self.demand.program.branches]
        for index in range(len(self.demand.program.nodes)):
            for branch in branches if index in self.per_branch else [""]:
                self.needs[index, branch] = self.need(index, branch)
        for index in self.demand.program.results:
            self.demand.start = self.demand.start | self.of(index, "")

    def of(self, index: int, branch: str) -> Need:
        return self.needs[index, branch if index in self.per_branch else ""]

    def need(self, index: int, branch: str) -> Need:
        node = self.demand.program.nodes[index]
        match node.payload:
            case Absent() | Image():
                return NO_NEED
            case OfBranch(name):
                return self.of(node.inputs[0], name)
            case Result():
                return self.of(node.inputs[0], branch)
            case Select(subject, labels):
                return self._select((index, branch), subject, labels, node.inputs)
            case Keep(path, labels):
                question = self.demand.program.questions[path]
                if size(question) > ANSWER_LIMIT:
                    raise Unforeseen(f"`{path}` can be answered in {size(question):,} ways")
                of = dict(zip(labels, node.inputs, strict=True))
                options = {
                    answer: self._all([of[label] for label in answer], branch) for answer in answers_of(question)
                }
                return self._fork((index, branch), question, options)
            case Apply(_, attributes):
                need = self._all(node.inputs, branch)
                for _, value in attributes:
                    if isinstance(value, Dim):
                        for leaf in value.leaves():
                            need = need | self._leaf(leaf, branch)
                return need

    def _select(self, key: Key, subject: Subject, labels: Sequence[Label], inputs: Sequence[int]) -> Need:
        match subject:
            case Searching():
                return self._labelled(labels, inputs, "no", key[1])
            case Measured(count):
                return self._measured(count, labels, inputs, key[1])
            case Asked(path):
                question = self.demand.program.questions[path]
                options = {answer: self._labelled(labels, inputs, answer[0], key[1]) for answer in answers_of(question)}
                return self._fork(key, question, options)

    def _all(self, nodes: Sequence[int], branch: str) -> Need:
        need = NO_NEED
        for each in nodes:
            need = need | self.of(each, branch)
        return need

    def _labelled(self, labels: Sequence[Label], inputs: Sequence[int], answer: str, branch: str) -> Need:
        """What the input under a label needs; nothing where none has it and the map is absent."""
        return next((self.of(s, branch) for label, s in zip(labels, inputs, strict=True) if label == answer), NO_NEED)

    def _fork(self, key: Key, question: Question, options: dict[Answer, Need]) -> Need:
        name = f"{key[1]}.{question.path}" if question.per_branch and key[1] else question.path
        self.demand.questions[name] = question
        first = next(iter(options.values()))
        if any(need != first for need in options.values()):
            self.found.add(question.path)
        if question.path not in self.forking and question.path not in self.found:
            return first | Need(asks=frozenset({name}))
        self.demand.forks[key] = options
        self.demand.asking[key] = name
        return Need(forks=frozenset({key}))

    def _leaf(self, leaf: Leaf, branch: str) -> Need:
        match leaf:
            case Chosen(path):
                question = self.demand.program.questions[path]
                name = f"{branch}.{path}" if question.per_branch and branch else path
                self.demand.questions[name] = question
                return Need(asks=frozenset({name}))
            case MapChannels(node):
                return self.of(node, branch)
            case Piecewise(subject, arms):
                need = NO_NEED
                inner = [list(_leaves(subject)), *(list(_leaves(count)) for _, count in arms)]
                needs = [self._leaves(each, branch) for each in inner]
                if any(arm | needs[0] != needs[0] for arm in needs[1:]):
                    raise Unforeseen(_ON_WIDTHS)
                return need | needs[0]
            case _:
                raise TypeError(f"{type(leaf).__name__} is no number that answers decide")

    def _leaves(self, leaves: Sequence[Leaf], branch: str) -> Need:
        need = NO_NEED
        for leaf in leaves:
            need = need | self._leaf(leaf, branch)
        return need

    def _measured(self, count: object, labels: Sequence[Label], inputs: Sequence[int], branch: str) -> Need:
        """A case on a channel count: exact as long as its arms need nothing of their own."""
        if isinstance(count, int):
            taken = next(s for label, s in zip(labels, inputs, strict=True) if holds(label, count))
            return self.of(taken, branch)
        need = self._leaves(list(_leaves(count)), branch)
        if any(self.of(source, branch) | need != need for source in inputs):
            raise Unforeseen(_ON_WIDTHS)
        return need


def _leaves(count: object) -> Iterator[Leaf]:
    if isinstance(count, Dim):
        yield from count.leaves()
