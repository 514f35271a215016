"""Every genotype of a small space, found without counting; and how even samples of it are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from itertools import pairwise
from random import Random

from archdsl.space import Program, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.count import Census
from archdsl.space.dependencies import answers_of
from archdsl.space.trace import trace

Genotype = frozenset[tuple[QuestionPath, Answer]]


def genotypes(program: Program) -> Iterator[Genotype]:
    """Every set of answers that leaves nothing asked and nothing unread, in which branches end in order."""
    waiting: list[dict[QuestionPath, Answer]] = [{}]
    while waiting:
        answers = waiting.pop()
        found = trace(program, answers)
        if found.missing:
            path = found.missing[0]
            waiting += [{**answers, path: answer} for answer in answers_of(found.asked[path])]
        elif _ordered(program, answers):
            assert not found.misfits
            assert found.asked.keys() == answers.keys()
            yield frozenset(answers.items())


def _ordered(program: Program, answers: Mapping[QuestionPath, Answer]) -> bool:
    for constraint in program.constraints:
        ends = [program.branches[branch].places for branch in constraint.branches]
        given = [answers.get(branch.end) for branch in constraint.branches]
        last = [
            next(iter(places.values())) if answer is None else places[answer[0]]
            for places, answer in zip(ends, given, strict=True)
        ]
        known = [place for place, places, answer in zip(last, ends, given, strict=True) if answer or len(places) == 1]
        if any(one >= other for one, other in pairwise(known)):
            return False
    return True


def looks_uniform(census: Census, every: Set[Genotype], each: int) -> bool:
    """Chi-square of `each` samples for each genotype; uniform ones pass but for one seed in millions."""
    random = Random(5)
    drawn = Counter(frozenset(census.sample(random).items()) for _ in range(each * len(every)))
    assert drawn.keys() <= every
    free = len(every) - 1
    chi_square = sum((drawn[genotype] - each) ** 2 / each for genotype in every)
    return chi_square < free + 6 * (2 * free) ** 0.5 + 20
