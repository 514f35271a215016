"""Sizes of a space that are not the number of its genotypes, as papers give them: products over the whole supernet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias, final

from archdsl.ops import Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.space.dependencies import size
from archdsl.space.path import QuestionPath
from archdsl.space.program import Apply, Frame, Label, Node, Program, Question, QuestionKind
from archdsl.space.symbolic_channels import Chosen
from archdsl.space.walk import Key, Reading, Walk


@dataclass(frozen=True, slots=True)
class NominalSize:
    """A product of equal factors."""

    factors: tuple[tuple[int, int], ...]
    """Each factor with how often it occurs, the largest first."""

    @property
    def count(self) -> int:
        return prod(factor**times for factor, times in self.factors)

    def __str__(self) -> str:
        """`21^42 * 5^3`."""
        return " * ".join(str(factor) if times == 1 else f"{factor}^{times}" for factor, times in self.factors) or "1"


def every_question(program: Program) -> NominalSize:
    """One answer to each question, asked or not; a question with an answer for each branch counts once."""
    return _product(Counter(size(question) for question in program.questions.values()))


def by_operators(program: Program) -> NominalSize | None:
    """For each operator question the ops, each times the widths of the maps that it writes; None without widths.

    FasterSeg (section 4.2) counts so: (1 + 4 * 5)^(15 + 14 + 13) * 5^3, where `skip` writes no map of its own, an op
    that gives two outputs counts with the first, and the heads behind the last layer fix the width.
    """
    if all(question.kind is not QuestionKind.WIDTH for question in program.questions.values()):
        return None
    domain = _Written(program)
    walk = Walk(program, domain, by_branch=False)
    for index in range(len(program.nodes)):
        walk.of(index)
    return _product(Counter(domain.ways.values()))


def _product(factors: Counter[int]) -> NominalSize:
    return NominalSize(
        tuple(sorted(((factor, times) for factor, times in factors.items() if factor > 1), reverse=True))
    )


Widths: TypeAlias = "frozenset[QuestionPath]"
_NONE: Widths = frozenset()


@dataclass(frozen=True, slots=True)
class _Map:
    """A map by where it is written and the width questions on the way there, from where its cell begins."""

    place: tuple[Frame, ...]
    widths: Widths = _NONE


@final
class _Written:
    """A map is the width questions of what writes it within its cell; a number is those that it hangs on."""

    searching = False

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ways: dict[QuestionPath, int] = {}
        """For each operator question the ops, each with the widths that it writes."""

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def arms(self, subject: Widths, labels: Sequence[Label]) -> Sequence[int]:
        return range(len(labels))

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> _Map:
        return self.absent(key)

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | Widths], inputs: Sequence[_Map]
    ) -> _Map:
        place = node.frames[:1]
        own = (value for value in attributes.values() if isinstance(value, frozenset))
        before = (source.widths for source in inputs if source.place == place)
        return _Map(place, _NONE.union(*own, *before))

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, _Map]) -> _Map:
        place = self.program.nodes[key.node].frames[:1]
        if question.kind is QuestionKind.OPERATOR and path not in self.ways:
            written = (each.widths if each.place == place else _NONE for each in options.values())
            self.ways[path] = sum(prod(size(self.program.questions[width]) for width in each) for each in written)
        return _Map(place)

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, _Map]) -> _Map:
        return self.absent(key)

    def measured(self, key: Key, subject: Widths, options: Sequence[tuple[Label, _Map]]) -> _Map:
        return self.absent(key)

    def unread(self, key: Key, readings: Sequence[Reading], source: _Map) -> _Map:
        return self.absent(key)

    def absent(self, key: Key) -> _Map:
        return _Map(self.program.nodes[key.node].frames[:1])

    def result(self, key: Key, node: Node, source: _Map) -> _Map:
        return self.absent(key)

    def unanswered(self, key: Key) -> _Map:
        raise AssertionError("every question is followed here")

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> Widths:
        return _NONE

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> Widths:
        return frozenset({path})

    def channels(self, source: _Map) -> Widths:
        return _NONE

    def piecewise(self, subject: Widths, arms: Sequence[tuple[Label, Widths]]) -> Widths:
        return _NONE

    def total(self, count: Dim, leaves: Mapping[Leaf, Widths]) -> Widths:
        return _NONE.union(*leaves.values())
