"""A demand without what follows from the rest of it, so that counting has fewer things to tell apart.

Two kinds of need follow from others. A fork or a factor that is needed whenever the fork that needs it is reached need
not be asked for again: the nodes of a cell whose output joins them all. And a factor that is asked under some answers
to one question alone, wherever that is asked, belongs to these answers: the ops of the edges that a node keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from archdsl.space.demand import Answer, Demand, Need, size
from archdsl.space.trace import Key


@dataclass(frozen=True, slots=True)
class Reduced:
    """The forks of a demand, and in how many ways each answer goes by what it alone has asked."""

    forks: Mapping[Key, Mapping[Answer, Need]]
    weights: Mapping[tuple[str, Answer], int]


def reduced(demand: Demand) -> Reduced:
    """What an enumeration has to walk; the asks that are taken out of it are in the weights."""
    owned = _owned(demand)
    beside = _Beside(demand)
    forks = {
        fork: {answer: beside.without(fork, need, owned) for answer, need in options.items()}
        for fork, options in demand.forks.items()
    }
    weights: dict[tuple[str, Answer], int] = {}
    for fork, options in demand.forks.items():
        for answer, need in options.items():
            sizes = (size(demand.questions[name]) for name in need.asks if name in owned)
            weights[demand.asking[fork], answer] = prod(sizes)
    return Reduced(forks, weights)


def _owned(demand: Demand) -> set[str]:
    """The factors that are asked exactly where one question has one of some answers."""
    asked_at: dict[str, dict[Key, frozenset[Answer]]] = {}
    for fork, options in demand.forks.items():
        for name, answers in _inverted(options):
            asked_at.setdefault(name, {})[fork] = answers
    forks_of: dict[str, set[Key]] = {}
    for fork, name in demand.asking.items():
        forks_of.setdefault(name, set()).add(fork)
    owned: set[str] = set()
    for name, places in asked_at.items():
        owner = demand.asking[next(iter(places))]
        same = len(set(places.values())) == 1
        if same and places.keys() == forks_of[owner] and name not in demand.start.asks:
            owned.add(name)
    return owned


def _inverted(options: Mapping[Answer, Need]) -> Iterator[tuple[str, frozenset[Answer]]]:
    """For each factor the answers that ask it."""
    found: dict[str, set[Answer]] = {}
    for answer, need in options.items():
        for name in need.asks:
            found.setdefault(name, set()).add(answer)
    return ((name, frozenset(answers)) for name, answers in found.items())


class _Beside:
    """What is needed whenever a fork is reached: forks further back, and factors.

    From the outputs back: what is needed together with every fork from which the way leads here. Held as the bits of
    numbers, since in a long network it is most of it for most forks.
    """

    def __init__(self, demand: Demand) -> None:
        self._fork_bit = {fork: 1 << position for position, fork in enumerate(sorted(demand.forks))}
        self._ask_bit = {name: 1 << position for position, name in enumerate(demand.questions, len(self._fork_bit))}
        self._found: dict[Key, int] = dict.fromkeys(demand.start.forks, self._bits(demand.start))
        for fork in reversed(self._fork_bit):
            together = self._found[fork]
            for need in demand.forks[fork].values():
                reached = together | self._bits(need)
                for other in need.forks:
                    self._found[other] = self._found.get(other, reached) & reached
        every_ask = sum(self._ask_bit.values())
        for fork, bit in self._fork_bit.items():
            self._found[fork] &= every_ask | (bit - 1)

    def without(self, fork: Key, need: Need, owned: set[str]) -> Need:
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
