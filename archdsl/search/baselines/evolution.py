"""Regularised evolution (Real, Aggarwal, Huang, Le, AAAI 2019, algorithm 1)."""

from __future__ import annotations

from collections import deque
from itertools import count
from operator import itemgetter

from archdsl.search.baselines.members import Members
from archdsl.search.baselines.proposals import Proposals, random_of
from archdsl.space.trace import Answers


def regularised_evolution(members: Members, seed: int, *, population: int, tournament: int) -> Proposals:
    """The best of a tournament has a child that differs in one answer, and the oldest of the population dies.

    The first `population` genotypes are drawn uniformly, as by random search with that seed. `tournament` members are
    drawn with replacement.
    """
    alive: deque[tuple[Answers, float]] = deque(maxlen=population)  # one more, and the oldest is gone
    for number in count():
        random = random_of(seed, number)
        if number < population:
            answers = members.sample(random)
        else:
            parent, _ = max((random.choice(alive) for _ in range(tournament)), key=itemgetter(1))
            answers = members.mutant(parent, random)
        accuracy = yield answers
        alive.append((answers, accuracy))
