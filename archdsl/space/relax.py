"""The questions that stay open: a program as a supernet sees it, where what is not answered is mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from archdsl.ops import Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Label, Node, Program, Question
from archdsl.space.symbolic_channels import Chosen
from archdsl.space.trace import Answers
from archdsl.space.walk import Key, Reading, Walk


def open_questions(program: Program, answers: Answers, *, searching: bool = False) -> Mapping[QuestionPath, Question]:
    """The questions that may still be asked under these answers, in the order in which they are met.

    What is answered is followed as answered; what is not leads on through each of its candidates, so a question that
    stands behind an open one is among them. `searching` reads the program as its supernet.
    """
    domain = _Relax(answers, searching=searching)
    walk = Walk(program, domain)
    for index in program.results:
        walk.of(index)
    return domain.open


def reached_nodes(program: Program, *, searching: bool = False) -> frozenset[int]:
    """The nodes that are computed under some answers, with auxiliary outputs."""
    walk = Walk(program, _Relax({}, searching=searching))
    for index in program.results:
        walk.of(index)
    return frozenset(key.node for key in walk.values)


@final
class _Relax:
    """Maps and numbers say nothing: what counts is the questions that are met."""

    def __init__(self, given: Answers, *, searching: bool) -> None:
        self.given = given
        self.searching = searching
        self.open: dict[QuestionPath, Question] = {}

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        given = self.given.get(path) or self.given.get(path.question)
        if given is not None:
            return given
        self.open[path] = question
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return self.answers(path, question)

    def arms(self, subject: None, labels: Sequence[Label]) -> Sequence[int]:
        return range(len(labels))

    def image(self, key: Key, node: Node) -> None:
        return None

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | None], inputs: Sequence[None]
    ) -> None:
        return None

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, None]) -> None:
        return None

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, None]) -> None:
        return None

    def measured(self, key: Key, subject: None, options: Sequence[tuple[Label, None]]) -> None:
        return None

    def unread(self, key: Key, readings: Sequence[Reading], source: None) -> None:
        return None

    def absent(self, key: Key) -> None:
        return None

    def result(self, key: Key, node: Node, source: None) -> None:
        return None

    def unanswered(self, key: Key) -> None:
        return None

    def constant(self, number: int) -> None:
        return None

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> None:
        self.answers(path, question)

    def channels(self, source: None) -> None:
        return None

    def piecewise(self, subject: None, arms: Sequence[tuple[Label, None]]) -> None:
        return None

    def total(self, count: Dim, leaves: Mapping[Leaf, None]) -> None:
        return None
