"""Local search (White, Nolen, Savani, UAI 2021; Den Ottelander, Dushatskiy, Virgolin, Bosman, EMO 2021)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from archdsl.search.baselines.members import Members
from archdsl.search.baselines.proposals import Proposals, random_of
from archdsl.space import QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.trace import Answers

Move: TypeAlias = Literal["best", "first"]
"""To the best of all neighbours, or to the first that is better."""
_Key: TypeAlias = "frozenset[tuple[QuestionPath, Answer]]"


def local_search(members: Members, seed: int, *, move: Move) -> Proposals:
    """From a genotype that is drawn uniformly to a better neighbour, until there is none; then from another one.

    Neighbours differ in one answer (`Members.neighbours`). Those that were proposed before are known, and not proposed
    again.
    """
    known: dict[_Key, float] = {}
    asked = 0
    while True:
        here = members.sample(random_of(seed, asked))
        best = yield here
        asked += 1
        known[_key(here)] = best
        better = True
        while better:
            better = False
            for neighbour in members.neighbours(here, random_of(seed, asked)):
                key = _key(neighbour)
                if key not in known:
                    known[key] = yield neighbour
                    asked += 1
                if known[key] > best:
                    here, best, better = neighbour, known[key], True
                    if move == "first":
                        break


def _key(answers: Answers) -> _Key:
    return frozenset(answers.items())
