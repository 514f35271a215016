"""The network that answers make of a program: which nodes are computed, for which branch, and what was asked.

A question is asked only where a computed node reads it (`rule-asked-where-read`), so the walk goes back from the
outputs and looks an answer up where it meets its question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from archdsl.ops import Dim, Shape, ShapeError
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space.concrete import Answer, Computed, Concrete
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Program, Question
from archdsl.space.symbolic_channels import Chosen
from archdsl.space.walk import Key, Unanswered, Walk

Answers: TypeAlias = "Mapping[QuestionPath, Answer]"
"""Answers by path; those to `per branch` questions by branch."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Maps that do not fit together under these answers."""

    node: int
    error: ShapeError


@dataclass(frozen=True)
class Trace:
    """The network that answers give, in topological order."""

    computed: Mapping[Key, Computed]
    asked: Mapping[QuestionPath, Question]
    """Every question that was met, under the path that its answer has: `b.trunk[5][8].operator`."""
    missing: tuple[QuestionPath, ...] = ()
    """Those that have no answer."""
    misfits: tuple[Misfit, ...] = field(default=())

    @property
    def closed(self) -> bool:
        return not self.missing and not self.misfits


def trace(program: Program, answers: Answers) -> Trace:
    """Walk a program under answers. Answers that are candidates are taken for granted: check them first."""
    domain = _Derive(answers)
    walk = Walk(program, domain)
    for index in program.results:
        walk.of(index)
    return Trace(domain.computed, domain.asked, tuple(domain.missing), tuple(domain.misfits))


@final
class _Derive(Concrete):
    """Each question has the answer that was given; a node behind one without an answer is left out."""

    def __init__(self, given: Answers) -> None:
        super().__init__()
        self.given = given
        self.asked: dict[QuestionPath, Question] = {}
        self.missing: dict[QuestionPath, None] = {}
        self.misfits: list[Misfit] = []

    def answer(self, path: QuestionPath, question: Question) -> Answer:
        self.asked[path] = question
        if path not in self.given:
            self.missing[path] = None
            raise Unanswered
        return self.given[path]

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> int:
        (answer,) = self.answer(path, question)
        return next(number for number in leaf.numbers if str(number) == answer)

    def fit(self, key: Key, payload: Apply, inputs: Sequence[Shape]) -> Shape | None:
        try:
            return PRIMITIVES[payload.primitive].shape(inputs, payload.attribute)
        except ShapeError as error:
            self.misfits.append(Misfit(key.node, error))
            return None

    def total(self, count: Dim, leaves: Mapping[Leaf, int]) -> int:
        return count.evaluate(leaves.__getitem__)
