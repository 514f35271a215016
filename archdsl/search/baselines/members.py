"""The genotypes of a space that a strategy may propose: drawn, changed in one answer, and all around one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

from archdsl.ir import closed
from archdsl.relax.phases import joint_ends
from archdsl.search.baselines.bounds import Bounds, Costs
from archdsl.search.baselines.errors import NoCandidate
from archdsl.space import Program, Question, QuestionKind, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.count import Census, NotCounted
from archdsl.space.trace import Answers, Trace, trace

TRIES: Final = 1_000
"""So many genotypes in a row that break the bounds, and they are taken to be out of reach."""


@dataclass(frozen=True, slots=True)
class Members:
    """The genotypes of a program in normal form (an answer to each question that is asked) that meet the bounds."""

    program: Program
    bounds: Bounds = field(default_factory=Bounds)
    given: Answers = field(default_factory=dict[QuestionPath, Answer])
    """Answers that all of them have."""
    tries: int = TRIES
    _census: Census | None = field(init=False, repr=False)
    """None where answers are given."""

    def __post_init__(self) -> None:
        """Raises NoCandidate, MissingRows."""
        if not self.program.questions:
            raise NoCandidate(f"`{self.program.name}` asks nothing, so it has one network alone: train that")
        try:
            object.__setattr__(self, "_census", None if self.given else Census(self.program))
        except NotCounted as error:
            raise NoCandidate(f"genotypes of `{self.program.name}` cannot be drawn uniformly: {error}") from None
        self.bounds.check_reachable(self.program)

    def sample(self, random: Random) -> Answers:
        """One of all genotypes, each as likely as any other. Raises NoCandidate.

        Where answers are given the others are, one after the other, each as likely as any other.
        """
        census = self._census
        draw = partial(self._completed, self.given) if census is None else census.sample
        return self._first(lambda: draw(random), f"genotypes of `{self.program.name}`")

    def mutant(self, parent: Answers, random: Random) -> Answers:
        """A genotype that gives one question of the parent another answer (Real et al., AAAI 2019, section 3).

        The question is drawn uniformly, then its answer; of inputs that a sum keeps one is replaced. What is not asked
        any more is left out, and what is newly asked is answered uniformly. Raises NoCandidate.
        """
        paths = self._free(parent)
        if not paths:
            raise NoCandidate("every answer is given: there is nothing to change")

        def drawn() -> Answers | None:
            path = random.choice(paths)
            others = _others(self.program.questions[path.question], parent[path])
            return self._completed({**parent, path: random.choice(others)}, random) if others else None

        return self._first(drawn, "genotypes that differ from the parent in one answer")

    def neighbours(self, genotype: Answers, random: Random) -> Iterator[Answers]:
        """Each other answer to each question, in random order; the rest as in `mutant`."""
        changes = [
            (path, other)
            for path in self._free(genotype)
            for other in _others(self.program.questions[path.question], genotype[path])
        ]
        random.shuffle(changes)
        for path, other in changes:
            found = self._completed({**genotype, path: other}, random)
            if found is not None and (not self.bounds.wheres or self.bounds.hold(self.costs(found))):
                yield found

    def costs(self, answers: Answers) -> Costs:
        """Raises MissingRows."""
        return self.bounds.costs(closed(self.program, trace(self.program, answers), self.program.name))

    def _free(self, genotype: Answers) -> list[QuestionPath]:
        """The questions whose answers may be others."""
        return sorted((path for path in genotype if path not in self.given), key=self.program.spell)

    def _first(self, draw: Callable[[], Answers | None], what: str) -> Answers:
        """The first that is drawn and meets the bounds. Raises NoCandidate."""
        seen: list[Costs] = []
        for _ in range(self.tries):
            found = draw()
            if found is None:
                continue
            if not self.bounds.wheres:
                return found
            costs = self.costs(found)
            if self.bounds.hold(costs):
                return found
            seen.append(costs)
        if not seen:
            raise NoCandidate(f"none of {self.tries:,} {what} is one of the space")
        raise NoCandidate(
            f"none of {len(seen):,} {what} meets `{self.bounds}`: they have {self.bounds.spans(seen)}; widen the bounds"
        )

    def _completed(self, given: Answers, random: Random) -> Answers | None:
        """Answers to what these leave asked; None where the space allows none."""
        answers = dict(given)
        while (found := trace(self.program, answers)).missing:
            answers |= {path: _any(found.asked[path], random) for path in found.missing}
        kept = {path: answers[path] for path in found.asked}
        return kept if self._allowed(found, kept) else None

    def _allowed(self, found: Trace, answers: Answers) -> bool:
        """Whether the maps fit together, and branches end in their order."""
        return found.closed and next(joint_ends(self.program, answers), None) is not None


def _any(question: Question, random: Random) -> Answer:
    chosen = sorted(random.sample(range(len(question.answers)), question.keep))
    return tuple(question.answers[index] for index in chosen)


def _others(question: Question, given: Answer) -> list[Answer]:
    """The other answers to a question; of one that keeps several inputs those in which one is replaced."""
    candidates = question.answers
    if question.kind is not QuestionKind.KEEP:
        return [(each,) for each in candidates if (each,) != given]
    return [
        tuple(each for each in candidates if each in {*given, new} - {old})
        for old in given
        for new in candidates
        if new not in given
    ]
