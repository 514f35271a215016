"""The most probable paths of branches through a grid, and the ops that are left out on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.search.derive.chances import Chances, source_chances, strongest
from archdsl.search.derive.errors import NotDerived
from archdsl.settings.relaxations import Drop, Joint, Steps
from archdsl.space import START, Branch, Place, QuestionKind, QuestionPath, Trellis
from archdsl.space.concrete import Answer


@dataclass(frozen=True, slots=True)
class _Way:
    """A path up to a place."""

    places: tuple[Place, ...]
    unasked: int = 0
    """Changes of scale that no question decides."""
    score: float = 0.0
    """The logarithm of the product."""
    changes: int = 0
    since: int | None = None
    """Layers since the last change of scale; None where there was none."""

    @property
    def rank(self) -> tuple[int, float]:
        return -self.unasked, self.score


def strongest_path(
    trellis: Trellis, end: Place, chances: Chances, branch: Branch | None, rule: Joint
) -> tuple[Place, ...]:
    """The places of the path to `end` with the highest product of probabilities, from the start on.

    Raises NotDerived where no path keeps to the rule.
    """
    order = list(trellis.sources)
    ways: dict[Place, dict[tuple[int, int | None], _Way]] = {}
    for place in order[: order.index(end) + 1]:
        best: dict[tuple[int, int | None], _Way] = {}
        for way in _ways_to(trellis, place, ways, chances, branch, rule):
            state = way.changes, None if way.since is None else min(way.since, rule.apart)
            if state not in best or way.rank > best[state].rank:
                best[state] = way
        ways[place] = best
    if not ways[end]:
        raise NotDerived(
            f"no path to `{trellis.spell(end)}` keeps to `margin = {rule.margin}` and `apart = {rule.apart}`: "
            "make them smaller"
        )
    return _earlier(trellis, max(ways[end].values(), key=lambda way: way.rank), rule)


def _ways_to(
    trellis: Trellis,
    place: Place,
    ways: Mapping[Place, Mapping[tuple[int, int | None], _Way]],
    chances: Chances,
    branch: Branch | None,
    rule: Joint,
) -> Iterator[_Way]:
    sources = trellis.sources[place]
    asked = source_chances(chances, trellis.source(place).of(branch)) if trellis.asks_at(place) else None
    if asked is None and trellis.begins_at(place):
        yield _Way((place,))
    elif asked is not None and START in asked:
        yield _Way((place,), 0, asked[START] if rule.over is Steps.EVERY else 0.0)
    for label, before in sources.items():
        if asked is not None and label not in asked:
            continue
        chance = 0.0 if asked is None else asked[label]
        changes = before[1:] != place[1:]
        for way in ways.get(before, {}).values():
            since = None if way.since is None else way.since + place[0] - before[0]
            if not changes:
                score = way.score + (chance if rule.over is Steps.EVERY else 0.0)
                yield _Way((*way.places, place), way.unasked, score, way.changes, since)
            elif (since is None or since >= rule.apart) and not _at_margin(trellis, place, rule.margin):
                unasked = way.unasked + (asked is None and rule.over is Steps.CHANGES)
                yield _Way((*way.places, place), unasked, way.score + chance, way.changes + 1, 0)


def _at_margin(trellis: Trellis, place: Place, margin: int) -> bool:
    """Whether a place is among the first or the last of its scale that ask where they read."""
    asking = [each for each in trellis.sources if each[1:] == place[1:] and trellis.asks_at(each)]
    return margin > 0 and place in (*asking[:margin], *asking[-margin:])


def _earlier(trellis: Trellis, way: _Way, rule: Joint) -> tuple[Place, ...]:
    """A path with one change of scale, with the change `early` layers before; where it can be there."""
    places = list(way.places)
    if way.changes != 1:
        return tuple(places)
    for _ in range(rule.early):
        at = next(number for number in range(1, len(places)) if places[number][1:] != places[number - 1][1:])
        moved = (places[at - 1][0], *places[at][1:])
        if at < 2 or places[at - 2] not in trellis.sources.get(moved, {}).values():
            break
        if moved not in trellis.sources[places[at]].values():
            break
        places[at - 1] = moved
    return tuple(places)


def path_answers(
    trellis: Trellis, places: Sequence[Place], chances: Chances, branch: Branch | None
) -> dict[QuestionPath, Answer]:
    """The answers that a path gives to the places on it that ask where they read."""
    found: dict[QuestionPath, Answer] = {}
    for number, place in enumerate(places):
        sources = trellis.sources[place]
        path = trellis.source(place).of(branch)
        asked = source_chances(chances, path) if trellis.asks_at(place) else None
        if asked is None:
            continue
        before = places[number - 1] if number else None
        reading = {
            label: chance
            for label, chance in asked.items()
            if (label == START and before is None) or (label != START and sources[label] == before)
        }
        found[path] = (strongest(reading),)
    return found


def operators_on_path(
    trellis: Trellis, places: Sequence[Place], chances: Chances, branch: Branch
) -> dict[QuestionPath, Answer]:
    """The ops that `drop` leaves on a path where it bounds what is left out; by the question of each place.

    As FasterSeg's published code does it (`alphas2ops_path_width`): a share of the places keeps an op, and so many more
    for each change of scale; of the others the most probable ones are left out. Ops that have to stay give way to the
    next best one.
    """
    asked = [_operator(trellis, place, chances) for place in places]
    drop = next((chances.plan.learned[each].dropped() for each in asked if each is not None), None)
    if drop is None or not drop.bounded:
        return {}
    last = len(places) - 1
    changes = [number for number in range(last) if places[number][1:] != places[number + 1][1:]]
    chance = {
        number: chances.allowed(path)[drop.op]
        for number, path in enumerate(asked)
        if path is not None and number not in changes and strongest(chances.allowed(path)) == drop.op
    }
    """Of each place whose op can be left out, that it is."""
    stays = _between(changes, last, chance) if drop.between_changes else set[int]()
    most = len(places) - round(len(places) * drop.places) - drop.each_change * len(changes)
    ranked = sorted(chance, key=lambda number: (-chance[number], number))
    left_out = {*ranked[: max(most, 0)]} - stays
    return {
        path.of(branch): (_kept_or_next(chances, path, drop, left_out=number in left_out),)
        for number, path in enumerate(asked)
        if path is not None
    }


def _between(changes: Sequence[int], last: int, chance: Mapping[int, float]) -> set[int]:
    """Where all ops between two changes, or behind the last one, can go: the place where that is least likely."""
    found: set[int] = set()
    for one, following in pairwise((*changes, last + 1)):
        between = range(one + 1, following)
        if between and all(number in chance for number in between):
            found.add(min(between, key=lambda number: (chance[number], -number)))
    return found


def _kept_or_next(chances: Chances, path: QuestionPath, drop: Drop, *, left_out: bool) -> str:
    allowed = chances.allowed(path)
    best = strongest(allowed)
    if best != drop.op or left_out or len(allowed) == 1:
        return best
    return strongest({answer: each for answer, each in allowed.items() if answer != drop.op})


def _operator(trellis: Trellis, place: Place, chances: Chances) -> QuestionPath | None:
    """The question of a place for an op of each branch, where it has one with logits."""
    scope = trellis.at(place)
    for path, question in chances.plan.program.questions.items():
        if path.scope == scope and question.kind is QuestionKind.OPERATOR and question.per_branch and chances.has(path):
            return path
    return None
