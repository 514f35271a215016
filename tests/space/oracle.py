"""The genotypes of a small program by brute force, with an interpreter of its own: no code that counts is shared.

Nothing is answered at first. The interpreter stops at the first answer that the outputs read and that is not there, and
each way to give it is followed; what is read until it stops nowhere is a genotype in normal form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

from archdsl.ops import Count, Dim, Shape, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Branch,
    Chosen,
    Image,
    Keep,
    Label,
    MapChannels,
    Measured,
    OfBranch,
    Otherwise,
    Piecewise,
    Program,
    Question,
    QuestionKind,
    QuestionPath,
    Result,
    Searching,
    Select,
    Unread,
    Within,
)

Answer = tuple[str, ...]
Genotype = frozenset[tuple[QuestionPath, Answer]]


class TooMany(Exception):
    """There are more genotypes than are looked at."""


class NotAnswered(Exception):
    """An answer that is read and not there."""

    def __init__(self, path: QuestionPath) -> None:
        super().__init__(path)
        self.path = path


def normal_forms(program: Program, most: int) -> set[Genotype]:
    """Every genotype in normal form. Raises TooMany where there are more than `most`, ends out of order included."""
    found: list[Genotype] = []
    waiting: list[dict[QuestionPath, Answer]] = [{}]
    while waiting:
        answers = waiting.pop()
        try:
            asked = _Network(program, answers).asked()
        except NotAnswered as unread:
            question = program.questions[unread.path.of(None)]
            waiting += [answers | {unread.path: answer} for answer in _answers(question)]
            continue
        assert asked == answers.keys()
        found.append(frozenset(answers.items()))
        if len(found) > most:
            raise TooMany
    assert len(found) == len(set(found))
    return {genotype for genotype in found if _in_order(program, dict(genotype))}


def _answers(question: Question) -> Iterator[Answer]:
    return combinations(question.answers, question.keep if question.kind is QuestionKind.KEEP else 1)


def _in_order(program: Program, given: Mapping[QuestionPath, Answer]) -> bool:
    """Branches end at different places, the finer one first."""
    for constraint in program.constraints:
        ends = [
            program.branches[branch].places[given[branch.end][0]]
            for branch in constraint.branches
            if branch.end in given
        ]
        if any(one >= other for one, other in pairwise(ends)):
            return False
    return True


class _Network:
    """What answers make of a program, by plain recursion."""

    def __init__(self, program: Program, answers: Mapping[QuestionPath, Answer]) -> None:
        self.program = program
        self.answers = answers
        self.read: set[QuestionPath] = set()
        self.known: dict[tuple[int, Branch | None], Shape | None] = {}

    def asked(self) -> set[QuestionPath]:
        for index in self.program.results:
            self.map(index, None)
        return self.read

    def map(self, index: int, branch: Branch | None) -> Shape | None:
        if (index, branch) not in self.known:
            self.known[index, branch] = self.compute(index, branch)
        return self.known[index, branch]

    def compute(self, index: int, branch: Branch | None) -> Shape | None:
        node = self.program.nodes[index]
        payload, inputs = node.payload, node.inputs
        if isinstance(payload, Absent):
            return None
        if isinstance(payload, Image):
            return node.shape
        if isinstance(payload, Result):
            return self.map(inputs[0], branch)
        if isinstance(payload, OfBranch):
            return self.map(inputs[0], payload.branch)
        if isinstance(payload, Keep):
            kept = self.answer(payload.question, branch)
            return self.primitive("add", {}, [inputs[payload.labels.index(label)] for label in kept], branch)
        if isinstance(payload, Apply):
            numbers = {name: self.value(value, branch) for name, value in payload.attributes}
            return self.primitive(payload.primitive, numbers, list(inputs), branch)
        picked = self.picked(payload, branch)
        return None if picked is None else self.map(inputs[picked], branch)

    def picked(self, payload: Select, branch: Branch | None) -> int | None:
        subject, labels = payload.subject, payload.labels
        if isinstance(subject, Searching):
            return labels.index("no") if "no" in labels else None
        if isinstance(subject, Asked):
            (answer,) = self.answer(subject.question, branch)
            return labels.index(answer) if answer in labels else None
        if isinstance(subject, Unread):
            named = [label in self.answer(path, branch) for path, label in subject.readings]
            return None if any(named) else 0
        assert isinstance(subject, Measured)
        number = self.number(subject.count, branch)
        return next(position for position, label in enumerate(labels) if _takes(label, number))

    def primitive(
        self, name: str, attributes: Mapping[str, Value], inputs: list[int], branch: Branch | None
    ) -> Shape | None:
        maps = [self.map(source, branch) for source in inputs]
        there = [shape for shape in maps if shape is not None]
        if not there or (len(there) < len(maps) and name not in ("add", "concat", "multiply")):
            return None
        return PRIMITIVES[name].shape(there, attributes)

    def answer(self, path: QuestionPath, branch: Branch | None) -> Answer:
        own = path.of(branch) if self.program.questions[path].per_branch and branch is not None else path
        if own not in self.answers:
            raise NotAnswered(own)
        self.read.add(own)
        return self.answers[own]

    def value(self, value: Value, branch: Branch | None) -> Value:
        return self.number(value, branch) if isinstance(value, Dim) else value

    def number(self, count: Count, branch: Branch | None) -> int:
        return count if isinstance(count, int) else count.evaluate(lambda leaf: self.leaf(leaf, branch))

    def leaf(self, leaf: Leaf, branch: Branch | None) -> int:
        if isinstance(leaf, Chosen):
            return int(self.answer(leaf.question, branch)[0])
        if isinstance(leaf, MapChannels):
            shape = self.map(leaf.node, branch)
            return 0 if shape is None else self.number(shape.channels, branch)
        assert isinstance(leaf, Piecewise)
        subject = self.number(leaf.subject, branch)
        return self.number(next(count for label, count in leaf.arms if _takes(label, subject)), branch)


def _takes(label: Label, number: int) -> bool:
    if isinstance(label, Within):
        return label.low <= number <= label.high
    return isinstance(label, Otherwise) or label == str(number)
