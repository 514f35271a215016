"""Sizes of a space that are not the number of its genotypes, as papers give them: products over the whole supernet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod

from archdsl.ops import Dim
from archdsl.space.demand import size
from archdsl.space.facts import Chosen
from archdsl.space.program import Apply, Asked, Program, QuestionKind, Searching, Select


@dataclass(frozen=True, slots=True)
class Raw:
    """A product of equal factors."""

    factors: tuple[tuple[int, int], ...]
    """Each factor with how often it occurs, the largest first."""

    @property
    def count(self) -> int:
        return prod(factor**times for factor, times in self.factors)

    def __str__(self) -> str:
        """`21^42 * 5^3`."""
        return " * ".join(str(factor) if times == 1 else f"{factor}^{times}" for factor, times in self.factors) or "1"


def every_question(program: Program) -> Raw:
    """One answer to each question, asked or not; a question with an answer for each branch counts once."""
    return _raw(Counter(size(question) for question in program.questions.values()))


def by_operators(program: Program) -> Raw | None:
    """For each operator question the ops, each times the widths of the maps that it writes; None without widths.

    FasterSeg (section 4.2) counts so: (1 + 4 * 5)^(15 + 14 + 13) * 5^3, where `skip` writes no map of its own, an op
    that gives two outputs counts with the first, and the heads behind the last layer fix the width.
    """
    if all(question.kind is not QuestionKind.WIDTH for question in program.questions.values()):
        return None
    found: Counter[int] = Counter()
    seen: set[str] = set()
    for node in program.nodes:
        match node.payload:
            case Select(Asked(path)) if path not in seen and program.questions[path].kind is QuestionKind.OPERATOR:
                seen.add(path)
                place = node.frames[:1]
                widths = (_written(program, each, [frame.name for frame in place]) for each in node.inputs)
                found[sum(prod(size(program.questions[width]) for width in each) for each in widths)] += 1
            case _:
                pass
    return _raw(found)


def _raw(factors: Counter[int]) -> Raw:
    return Raw(tuple(sorted(((factor, times) for factor, times in factors.items() if factor > 1), reverse=True)))


def _written(program: Program, index: int, place: list[str]) -> set[str]:
    """The width questions of the maps that a candidate writes, from its output back to what its cell reads."""
    found: set[str] = set()
    waiting, seen = [index], {index}
    while waiting:
        node = program.nodes[waiting.pop()]
        if [frame.name for frame in node.frames[:1]] != place:
            continue
        match node.payload:
            case Apply(_, attributes):
                counts = (value for _, value in attributes if isinstance(value, Dim))
                found |= {leaf.question for count in counts for leaf in count.leaves() if isinstance(leaf, Chosen)}
                inputs = node.inputs
            case Select(Searching(), labels):
                inputs = tuple(each for label, each in zip(labels, node.inputs, strict=True) if label == "no")
            case _:
                continue
        waiting += [each for each in inputs if each not in seen]
        seen.update(inputs)
    return found
