"""Dependencies without what follows from the rest, so that counting has fewer things to tell apart.

Two kinds of need follow from others. A fork or a factor that is needed whenever the fork that needs it is reached need
not be asked for again: the nodes of a cell whose output joins them all. And a factor that is asked under some answers
to one question alone, wherever that is asked, belongs to these answers: the ops of the edges that a node keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from archdsl.space.concrete import Answer
from archdsl.space.dependencies import Dependencies, Need, size
from archdsl.space.path import QuestionPath
from archdsl.space.walk import Key


@dataclass(frozen=True, slots=True)
class Reduced:
    """The forks of a program, and in how many ways each answer goes by what it alone has asked."""

    forks: Mapping[Key, Mapping[Answer, Need]]
    weights: Mapping[tuple[QuestionPath, Answer], int]


def reduced(dependencies: Dependencies) -> Reduced:
    """What an enumeration has to walk; the asks that are taken out of it are in the weights."""
    owned = _owned(dependencies)
    beside = _Beside(dependencies)
    forks = {
        fork: {answer: beside.without(fork, need, owned) for answer, need in options.items()}
        for fork, options in dependencies.forks.items()
    }
    weights: dict[tuple[QuestionPath, Answer], int] = {}
    for fork, options in dependencies.forks.items():
        for answer, need in options.items():
            sizes = (size(dependencies.questions[name]) for name in need.asks if name in owned)
            weights[dependencies.asking[fork], answer] = prod(sizes)
    return Reduced(forks, weights)


def _owned(dependencies: Dependencies) -> set[QuestionPath]:
    """The factors that are asked exactly where one question has one of some answers."""
    asked_at: dict[QuestionPath, dict[Key, frozenset[Answer]]] = {}
    for fork, options in dependencies.forks.items():
        for name, answers in _inverted(options):
            asked_at.setdefault(name, {})[fork] = answers
    forks_of: dict[QuestionPath, set[Key]] = {}
    for fork, name in dependencies.asking.items():
        forks_of.setdefault(name, set()).add(fork)
    owned: set[QuestionPath] = set()
    for name, places in asked_at.items():
        owner = dependencies.asking[next(iter(places))]
        same = len(set(places.values())) == 1
        if same and places.keys() == forks_of[owner] and name not in dependencies.start.asks:
            owned.add(name)
    return owned


def _inverted(options: Mapping[Answer, Need]) -> Iterator[tuple[QuestionPath, frozenset[Answer]]]:
    """For each factor the answers that ask it."""
    found: dict[QuestionPath, set[Answer]] = {}
    for answer, need in options.items():
        for name in need.asks:
            found.setdefault(name, set()).add(answer)
    return ((name, frozenset(answers)) for name, answers in found.items())


class _Beside:
    """What is needed whenever a fork is reached: forks further back, and factors.

    From the outputs back: what is needed together with every fork from which the way leads here. Held as the bits of
    numbers, since in a long network it is most of it for most forks.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._fork_bit = {fork: 1 << position for position, fork in enumerate(dependencies.in_order())}
        self._ask_bit = {
            name: 1 << position for position, name in enumerate(dependencies.questions, len(self._fork_bit))
        }
        self._found: dict[Key, int] = dict.fromkeys(dependencies.start.forks, self._bits(dependencies.start))
        for fork in reversed(self._fork_bit):
            together = self._found[fork]
            for need in dependencies.forks[fork].values():
                reached = together | self._bits(need)
                for other in need.forks:
                    self._found[other] = self._found.get(other, reached) & reached
        every_ask = sum(self._ask_bit.values())
        for fork, bit in self._fork_bit.items():
            self._found[fork] &= every_ask | (bit - 1)

    def without(self, fork: Key, need: Need, owned: set[QuestionPath]) -> Need:
        """A need at a fork without what is needed there anyway, and without what answers own."""
        beside = self._found[fork]
        return Need(
            frozenset(other for other in need.forks if not self._fork_bit[other] & beside),
            frozenset(name for name in need.asks if name not in owned and not self._ask_bit[name] & beside),
        )

    def _bits(self, need: Need) -> int:
        bits = 0
        for fork in need.forks:
            bits |= self._fork_bit[fork]
        for name in need.asks:
            bits |= self._ask_bit[name]
        return bits
