"""What has to be answered for a node, down to the next questions: the structure that counting and sampling work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Final, TypeAlias, final

from archdsl.ops import Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.space.concrete import Answer
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Label, Node, Program, Question, QuestionKind
from archdsl.space.symbolic_channels import Chosen, holds
from archdsl.space.walk import Key, Reading, Walk

ANSWER_LIMIT: Final = 2_000
"""No question that changes what else is asked may have more answers: 20 of 40 inputs are 137,846,528,820."""


@dataclass(frozen=True, slots=True)
class Need:
    """What follows from a node being computed, before any question is answered."""

    forks: frozenset[Key] = frozenset()
    """Nodes at which the way on depends on an answer."""
    asks: frozenset[QuestionPath] = frozenset()
    """Questions that are asked and whose answer changes nothing else that is asked."""

    def __or__(self, other: Need) -> Need:
        # In a long chain needs are large, and most of what is joined is there already.
        if self is other or (other.forks <= self.forks and other.asks <= self.asks):
            return self
        if self.forks <= other.forks and self.asks <= other.asks:
            return other
        return Need(self.forks | other.forks, self.asks | other.asks)


NO_NEED = Need()
Number: TypeAlias = "int | Need"
"""A number that the text fixes, or what has to be answered for it."""

_ON_WIDTHS: Final = "what is asked depends on channel counts that answers decide"


class Unforeseen(Exception):
    """What answers need cannot be listed; the text says why."""


@dataclass(slots=True)
class Dependencies:
    """The forks of a program, with what each answer to them needs."""

    program: Program
    forks: dict[Key, dict[Answer, Need]] = field(default_factory=dict[Key, dict[Answer, Need]])
    asking: dict[Key, QuestionPath] = field(default_factory=dict[Key, QuestionPath])
    """The question at each fork: `b.trunk[5][8].operator`."""
    questions: dict[QuestionPath, Question] = field(default_factory=dict[QuestionPath, Question])
    start: Need = NO_NEED
    """What the outputs need."""

    @classmethod
    def of(cls, program: Program) -> Dependencies:
        """Raises Unforeseen."""
        forking: set[QuestionPath] = set()
        while True:
            domain = _Depend(cls(program), forking)
            walk: Walk[Need, Number] = Walk(program, domain)
            for index in program.results:
                domain.found.start = domain.found.start | walk.of(index)
            if not domain.forks - forking:
                return domain.found
            forking |= domain.forks

    def in_order(self) -> list[Key]:
        """The forks as their nodes stand in the program."""
        return sorted(self.forks, key=lambda fork: (fork.node, self.program.order(fork.branch)))


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


@final
class _Depend:
    """A map is what has to be answered for it. A question is taken to change nothing until a node shows it does."""

    searching = False

    def __init__(self, found: Dependencies, forking: set[QuestionPath]) -> None:
        self.found = found
        self.forking = forking
        """Questions that are known to change what else is asked."""
        self.forks: set[QuestionPath] = set()
        """Those that this walk finds to."""

    # Questions: every answer is followed --------------------------------------------------------

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        if size(question) > ANSWER_LIMIT:
            raise Unforeseen(f"`{question.path}` can be answered in {size(question):,} ways")
        return question.answers

    def arms(self, subject: Number, labels: Sequence[Label]) -> Sequence[int]:
        if isinstance(subject, int):
            return [next(position for position, label in enumerate(labels) if holds(label, subject))]
        return range(len(labels))

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> Need:
        return NO_NEED

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | Number], inputs: Sequence[Need]
    ) -> Need:
        need = _union(inputs)
        for value in attributes.values():
            if isinstance(value, Need):
                need = need | value
        return need

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, Need]) -> Need:
        return self._fork(key, path, question, {(answer,): need for answer, need in options.items()})

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, Need]) -> Need:
        needs = {answer: _union([options[label] for label in answer]) for answer in answers_of(question)}
        return self._fork(key, path, question, needs)

    def _fork(self, key: Key, path: QuestionPath, question: Question, options: dict[Answer, Need]) -> Need:
        self.found.questions[path] = question
        first = next(iter(options.values()))
        if any(need != first for need in options.values()):
            self.forks.add(question.path)
        if question.path not in self.forking and question.path not in self.forks:
            return first | Need(asks=frozenset({path}))
        self.found.forks[key] = options
        self.found.asking[key] = path
        return Need(forks=frozenset({key}))

    def measured(self, key: Key, subject: Number, options: Sequence[tuple[Label, Need]]) -> Need:
        """A case on a channel count: exact as long as its arms need nothing of their own."""
        if isinstance(subject, int):
            ((_, taken),) = options
            return taken
        if any(need | subject != subject for _, need in options):
            raise Unforeseen(_ON_WIDTHS)
        return subject

    def unread(self, key: Key, readings: Sequence[Reading], source: Need) -> Need:
        """The maps that can read it are computed beside it, and ask these questions themselves."""
        return source

    def absent(self, key: Key) -> Need:
        return NO_NEED

    def result(self, key: Key, node: Node, source: Need) -> Need:
        return source

    def unanswered(self, key: Key) -> Need:
        raise AssertionError("every question is followed here")

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> Number:
        return number

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> Need:
        self.found.questions[path] = question
        return Need(asks=frozenset({path}))

    def channels(self, source: Need) -> Need:
        return source

    def piecewise(self, subject: Number, arms: Sequence[tuple[Label, Number]]) -> Number:
        if isinstance(subject, int):
            ((_, taken),) = arms
            return taken
        if any(isinstance(number, Need) and number | subject != subject for _, number in arms):
            raise Unforeseen(_ON_WIDTHS)
        return subject

    def total(self, count: Dim, leaves: Mapping[Leaf, Number]) -> Need:
        return _union([number for number in leaves.values() if isinstance(number, Need)])


def _union(needs: Sequence[Need]) -> Need:
    found = NO_NEED
    for need in needs:
        found = found | need
    return found
