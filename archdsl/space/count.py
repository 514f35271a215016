"""The exact number of genotypes in normal form, and uniform samples of them (language.md, property 7).

Questions are answered from the outputs back, in the order in which nodes stand. What has been answered is forgotten as
soon as no node further back looks at it, so networks that are chains of some sort need few states however many
genotypes they have. Questions that change nothing else that is asked are factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from random import Random
from typing import TypeAlias

from archdsl.space.demand import Answer, Demand, DependsOnWidths
from archdsl.space.program import Program, Question, QuestionKind
from archdsl.space.trace import Key

STATE_LIMIT = 200_000
"""A space whose counting needs more states at one time is not counted."""


class NotCounted(Exception):
    """The count would need an enumeration beyond the bound; the text says of what."""


@dataclass(frozen=True, slots=True)
class _State:
    """What has to be remembered at some point on the way back."""

    forks: frozenset[Key]
    """Forks that are reached and not yet passed."""
    asked: frozenset[str]
    """Factors that are asked, and may be asked again further back."""
    answers: frozenset[tuple[str, Answer]]
    """Answers that a fork further back looks at."""


Way: TypeAlias = "tuple[Answer | None, int, _State]"
"""An answer (None where it was given before), in how many ways that goes, and the state after it."""

Sample: TypeAlias = "dict[str, Answer]"


class Census:
    """The genotypes of a program."""

    def __init__(self, program: Program) -> None:
        """Raises NotCounted."""
        self.program = program
        try:
            self.demand = Demand.of(program)
        except DependsOnWidths:
            raise NotCounted("what is asked depends on channel counts that answers decide") from None
        self._groups = [tuple(constraint.questions) for constraint in program.constraints]
        self._last_asked = _last(self.demand)
        self._last_read = _last_forks(self.demand, self._groups)
        self._classes = _classes(self.demand, {name for group in self._groups for name in group})
        self._start, self._factor = self._close(self.demand.start.forks, self.demand.start.asks, frozenset())
        self._ways: dict[_State, list[Way]] = {}
        self._completions: dict[_State, int] = {}
        """In how many ways each state can be brought to an end."""
        self._run()

    @property
    def count(self) -> int:
        """How many genotypes there are in normal form."""
        return self._factor * self._completions[self._start]

    def sample(self, random: Random) -> Sample:
        """One genotype, each as likely as any other: every answer that is asked, under its path."""
        answers: Sample = {}
        state = self._start
        while state.forks:
            ways = self._ways[state]
            name = self.demand.asking[max(state.forks)]
            answer, _, state = ways[_pick([factor * self._completions[after] for _, factor, after in ways], random)]
            if answer is not None:
                answers[name] = random.choice(self._classes[name][answer])
        return answers | {name: _any(self.demand.questions[name], random) for name in sorted(self._asked(answers))}

    def _asked(self, answers: Sample) -> set[str]:
        """The factors that are asked under these answers."""
        asked = set(self.demand.start.asks)
        waiting, seen = list(self.demand.start.forks), set(self.demand.start.forks)
        while waiting:
            fork = waiting.pop()
            need = self.demand.forks[fork][answers[self.demand.asking[fork]]]
            asked |= need.asks
            waiting.extend(need.forks - seen)
            seen |= need.forks
        return asked

    # The way back -------------------------------------------------------------------------------

    def _run(self) -> None:
        """Every state from the outputs back, each at the fork that stands last among those it has still to pass."""
        waiting: dict[Key, set[_State]] = {}
        if self._start.forks:
            waiting[max(self._start.forks)] = {self._start}
        for fork in sorted(self.demand.forks, reverse=True):
            for state in waiting.pop(fork, ()):
                self._ways[state] = list(self._ways_from(state, fork))
                for _, _, after in self._ways[state]:
                    if after.forks:
                        waiting.setdefault(max(after.forks), set()).add(after)
            if sum(map(len, waiting.values())) > STATE_LIMIT:
                node = self.program.nodes[fork[0]].path
                raise NotCounted(f"at `{node}` more than {STATE_LIMIT:,} sets of answers would have to be told apart")
        for state, ways in reversed(self._ways.items()):
            for _, _, after in ways:
                if not after.forks:
                    self._completions[after] = 1
            self._completions[state] = sum(factor * self._completions[after] for _, factor, after in ways)
        self._completions.setdefault(self._start, 1)

    def _ways_from(self, state: _State, fork: Key) -> Iterator[Way]:
        name = self.demand.asking[fork]
        known = dict(state.answers)
        given = known.get(name)
        for answer, members in self._classes[name].items():
            if given is not None and answer != given:
                continue
            if given is None and not self._in_order(name, answer, known):
                continue
            need = self.demand.forks[fork][answer]
            after, factor = self._close(
                (state.forks - {fork}) | need.forks, state.asked | need.asks, state.answers | {(name, answer)}
            )
            yield (answer, factor * len(members), after) if given is None else (None, factor, after)

    def _in_order(self, name: str, answer: Answer, known: Mapping[str, Answer]) -> bool:
        """Branches end at different places, finer ones first."""
        for group in self._groups:
            if name not in group:
                continue
            ends = [known.get(branch) if branch != name else answer for branch in group]
            order = list(dict.fromkeys(end for branch in group for end in self.program.branches[branch].places))
            places = [order.index(end[0]) for end in ends if end is not None]
            if any(one >= other for one, other in pairwise(places)):
                return False
        return True

    def _close(
        self, forks: frozenset[Key], asked: frozenset[str], answers: frozenset[tuple[str, Answer]]
    ) -> tuple[_State, int]:
        """The state at the next fork: what no fork from there on looks at is forgotten, its factors multiplied out."""
        factor = 1
        if not forks:
            for name in asked:
                factor *= _size(self.demand.questions[name])
            return _State(forks, frozenset(), frozenset()), factor
        next_fork = max(forks)
        open_asked: list[str] = []
        for name in asked:
            last = self._last_asked.get(name)
            if last is None or last > next_fork:
                factor *= _size(self.demand.questions[name])
            else:
                open_asked.append(name)
        kept = frozenset(pair for pair in answers if self._last_read[pair[0]] <= next_fork)
        return _State(forks, frozenset(open_asked), kept), factor


def _classes(demand: Demand, apart: set[str]) -> dict[str, dict[Answer, list[Answer]]]:
    """Answers to a question that need the same at each of its forks are told apart by nothing: one stands for all."""
    forks: dict[str, list[Key]] = {}
    for fork, name in demand.asking.items():
        forks.setdefault(name, []).append(fork)
    found: dict[str, dict[Answer, list[Answer]]] = {}
    for name, places in forks.items():
        first: dict[object, Answer] = {}
        classes: dict[Answer, list[Answer]] = {}
        for answer in demand.forks[places[0]]:
            signature = answer if name in apart else tuple(demand.forks[place][answer] for place in places)
            classes.setdefault(first.setdefault(signature, answer), []).append(answer)
        found[name] = classes
    return found


def _last(demand: Demand) -> dict[str, Key]:
    """The fork furthest back at which a factor can still be asked."""
    found: dict[str, Key] = {}
    for fork, options in demand.forks.items():
        for need in options.values():
            for name in need.asks:
                found[name] = min(found.get(name, fork), fork)
    return found


def _last_forks(demand: Demand, groups: list[tuple[str, ...]]) -> dict[str, Key]:
    """The fork furthest back that looks at an answer; branches are looked at until all have ended."""
    found: dict[str, Key] = {}
    for fork, name in demand.asking.items():
        found[name] = min(found.get(name, fork), fork)
    for group in groups:
        present = [found[name] for name in group if name in found]
        for name in group:
            if name in found:
                found[name] = min(present)
    return found


def _size(question: Question) -> int:
    if question.kind is QuestionKind.KEEP:
        return comb(len(question.answers), question.keep)
    return len(question.answers)


def _any(question: Question, random: Random) -> Answer:
    if question.kind is QuestionKind.KEEP:
        chosen = sorted(random.sample(range(len(question.answers)), question.keep))
        return tuple(question.answers[index] for index in chosen)
    return (random.choice(question.answers),)


def _pick(weights: list[int], random: Random) -> int:
    """An index, each as likely as its weight says; exact for numbers of any length."""
    at = random.randrange(sum(weights))
    for index, weight in enumerate(weights):
        at -= weight
        if at < 0:
            return index
    raise AssertionError("the weights sum to more than their sum")
