"""The path of a branch through its grid, as its answers give it."""

from __future__ import annotations

from itertools import pairwise

from archdsl.diff.model import Answers
from archdsl.space import Branch, Place, Program, Trellis


def route(program: Program, answers: Answers, branch: Branch) -> tuple[Place, ...]:
    """The places that a branch passes, first to last; empty where its end is not answered.

    Stops at the first place whose source is open.
    """
    ends = program.branches[branch]
    given = answers.get(branch.end)
    if given is None and len(ends.places) > 1:
        return ()
    trellis = program.trellises[ends.trellis]
    place: Place | None = ends.places[given[0]] if given else next(iter(ends.places.values()))
    found: list[Place] = []
    while place is not None:
        found.append(place)
        place = _before(trellis, answers, branch, place)
    return tuple(reversed(found))


def _before(trellis: Trellis, answers: Answers, branch: Branch, place: Place) -> Place | None:
    sources = trellis.sources[place]
    if not trellis.asks_at(place):
        return next(iter(sources.values()), None)
    question = trellis.source(place)
    answer = answers.get(question.of(branch), answers.get(question))
    return sources.get(answer[0]) if answer else None


def steps(route: tuple[Place, ...]) -> tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]:
    """Where a path leaves its row: the position of its last place there, and the row before and after."""
    return tuple((here[0], here[1:], there[1:]) for here, there in pairwise(route) if here[1:] != there[1:])
