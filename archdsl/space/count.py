"""The exact number of genotypes in normal form, and uniform samples of them (`property-counted`).

Questions are answered from the outputs back, in the order in which nodes stand. What has been answered is forgotten as
soon as no node further back looks at it, so networks that are chains of some sort need few states however many
genotypes they have. Questions that change nothing else that is asked are factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from math import prod
from random import Random
from typing import NamedTuple, TypeAlias

from archdsl.space.concrete import Answer
from archdsl.space.dependencies import Dependencies, Need, Unforeseen, answers_of, size
from archdsl.space.path import Branch, QuestionPath
from archdsl.space.program import Program, Question, QuestionKind
from archdsl.space.simplify import Reduced, reduced
from archdsl.space.walk import Key

WAY_LIMIT = 200_000
"""A space whose counting has more ways to follow is not counted. They take about two seconds."""


class NotCounted(Exception):
    """The count would need an enumeration beyond the bound; the text says of what."""


class _State(NamedTuple):
    """What has to be remembered at some point on the way back, each part as the bits of a number."""

    forks: int
    """Forks that are reached and not yet passed; the highest bit is the next one."""
    asked: int
    """Factors that are asked, and may be asked again further back."""
    answers: int
    """Answers that a fork further back looks at."""


class _Way(NamedTuple):
    """One thing that can happen at a fork."""

    answer: Answer | None
    """None where it was given before."""
    factor: int
    """In how many ways it goes."""
    after: _State


Sample: TypeAlias = "dict[QuestionPath, Answer]"


class Census:
    """The genotypes of a program."""

    def __init__(self, program: Program) -> None:
        """Raises NotCounted."""
        self.program = program
        try:
            self.dependencies = Dependencies.of(program)
        except Unforeseen as error:
            raise NotCounted(str(error)) from None
        self._book = _Book(self.dependencies, [constraint.branches for constraint in program.constraints])
        self._start, self._factor = self._book.reached(self.dependencies.start, 0, 0, 0)
        self._ways: dict[_State, list[_Way]] = {}
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
            name = self._book.names[state.forks.bit_length() - 1]
            answer, _, state = ways[_pick([factor * self._completions[after] for _, factor, after in ways], random)]
            if answer is not None:
                members = self._book.classes[name][answer]
                answers[name] = members[_pick([self._book.weights[name, each] for each in members], random)]
        factors = sorted(self._asked(answers), key=str)
        return answers | {name: _any(self.dependencies.questions[name], random) for name in factors}

    def genotypes(self) -> Iterator[Sample]:
        """Every genotype in normal form: the answers that are asked, under their paths."""
        for answers in self._from(self._start, {}):
            factors = sorted(self._asked(answers), key=str)
            for each in product(*(answers_of(self.dependencies.questions[name]) for name in factors)):
                yield answers | dict(zip(factors, each, strict=True))

    def _from(self, state: _State, answers: Sample) -> Iterator[Sample]:
        """The answers to all forks, where some are given."""
        if not state.forks:
            yield answers
            return
        name = self._book.names[state.forks.bit_length() - 1]
        for answer, _, after in self._ways[state]:
            if answer is None:
                yield from self._from(after, answers)
                continue
            for member in self._book.classes[name][answer]:
                yield from self._from(after, answers | {name: member})

    def _asked(self, answers: Sample) -> set[QuestionPath]:
        """The factors that are asked under these answers."""
        asked = set(self.dependencies.start.asks)
        waiting, seen = list(self.dependencies.start.forks), set(self.dependencies.start.forks)
        while waiting:
            fork = waiting.pop()
            need = self.dependencies.forks[fork][answers[self.dependencies.asking[fork]]]
            asked |= need.asks
            waiting.extend(need.forks - seen)
            seen |= need.forks
        return asked

    def _run(self) -> None:
        """Every state from the outputs back, each at the fork that stands last among those it has still to pass."""
        waiting: dict[int, set[_State]] = {}
        if self._start.forks:
            waiting[self._start.forks.bit_length() - 1] = {self._start}
        followed = 0
        for fork in reversed(range(len(self._book.forks))):
            for state in waiting.pop(fork, ()):
                ways = self._ways[state] = list(self._ways_from(state, fork))
                followed += len(ways)
                if followed > WAY_LIMIT:
                    raise NotCounted(self._too_many(fork))
                for way in ways:
                    forks = way.after.forks
                    if forks:
                        waiting.setdefault(forks.bit_length() - 1, set()).add(way.after)
        self._completions[_END] = 1
        for state, ways in reversed(self._ways.items()):
            self._completions[state] = sum(factor * self._completions[after] for _, factor, after in ways)

    def _too_many(self, fork: int) -> str:
        node = self.program.nodes[self._book.forks[fork][0]].path
        return f"at `{node}` more than {WAY_LIMIT:,} sets of answers would have to be told apart"

    def _ways_from(self, state: _State, fork: int) -> Iterator[_Way]:
        book = self._book
        name = book.names[fork]
        given = state.answers & book.answers_to[name]
        rest = state.forks ^ (1 << fork)
        for answer, members in book.classes[name].items():
            bit = book.bits[name, answer]
            if given and not given & bit:
                continue
            if not given and not book.in_order(name, answer, state.answers):
                continue
            need = book.needs[book.forks[fork]][answer]
            after, factor = book.reached(need, rest, state.asked, state.answers | bit)
            if given:
                yield _Way(None, factor, after)
            else:
                yield _Way(answer, factor * sum(book.weights[name, each] for each in members), after)


_END = _State(0, 0, 0)


class _Book:
    """Dependencies in numbers: a bit for each fork, each factor and each answer."""

    def __init__(self, dependencies: Dependencies, groups: Sequence[tuple[Branch, ...]]) -> None:
        self.dependencies = dependencies
        self.groups = [(tuple(branch.end for branch in group), group) for group in groups]
        """The questions where the branches of a group end, and the branches."""
        self.forks = _by_distance(dependencies)
        self.names = tuple(dependencies.asking[fork] for fork in self.forks)
        found = reduced(dependencies)
        self.needs, self.weights = found.forks, found.weights
        self.classes = _classes(dependencies, found, {end for paths, _ in self.groups for end in paths})
        pairs = [(name, answer) for name, classes in self.classes.items() for answer in classes]
        self.bits = {pair: 1 << position for position, pair in enumerate(pairs)}
        self.answers_to = {name: _union(self.bits[name, answer] for answer in of) for name, of in self.classes.items()}
        self._position = {fork: position for position, fork in enumerate(self.forks)}
        self._factors = sorted({name for need in self._each_need() for name in need.asks}, key=str)
        self._factor_bit = {name: 1 << position for position, name in enumerate(self._factors)}
        self._masks: dict[Need, tuple[int, int]] = {need: self._mask(need) for need in self._each_need()}
        self._asked_at, self._read_at = self._open_masks()
        self._products: dict[int, int] = {}

    def reached(self, need: Need, forks: int, asked: int, answers: int) -> tuple[_State, int]:
        """The state at the next fork, and the product of the factors that no fork from there on asks again."""
        new_forks, new_asks = self._masks[need]
        forks |= new_forks
        asked |= new_asks
        if not forks:
            return _END, self._product(asked)
        following = forks.bit_length() - 1
        still_open = asked & self._asked_at[following]
        return _State(forks, still_open, answers & self._read_at[following]), self._product(asked ^ still_open)

    def in_order(self, name: QuestionPath, answer: Answer, answers: int) -> bool:
        """Branches end at different places, finer ones first."""
        branches = self.dependencies.program.branches
        for paths, group in self.groups:
            if name not in paths:
                continue
            ends = [answer if path == name else self._given(path, answers) for path in paths]
            order = list(dict.fromkeys(end for branch in group for end in branches[branch].places))
            places = [order.index(end[0]) for end in ends if end is not None]
            if any(one >= other for one, other in pairwise(places)):
                return False
        return True

    def _given(self, name: QuestionPath, answers: int) -> Answer | None:
        return next((answer for answer in self.classes.get(name, ()) if answers & self.bits[name, answer]), None)

    def _each_need(self) -> Iterator[Need]:
        yield self.dependencies.start
        for options in self.needs.values():
            yield from options.values()

    def _mask(self, need: Need) -> tuple[int, int]:
        forks = _union(1 << self._position[fork] for fork in need.forks)
        return forks, _union(self._factor_bit[name] for name in need.asks)

    def _open_masks(self) -> tuple[list[int], list[int]]:
        """For each fork the factors that it or one further back can ask, and the answers that these look at."""
        asked_at: list[int] = []
        read_at: list[int] = []
        asks = reads = 0
        for position, fork in enumerate(self.forks):
            for need in self.needs[fork].values():
                asks |= self._masks[need][1]
            reads |= self.answers_to[self.names[position]]
            # The ends of branches are compared until all of them are known.
            for paths, _ in self.groups:
                if self.names[position] in paths:
                    reads |= _union(self.answers_to.get(path, 0) for path in paths)
            asked_at.append(asks)
            read_at.append(reads)
        return asked_at, read_at

    def _product(self, factors: int) -> int:
        if factors not in self._products:
            chosen = (name for position, name in enumerate(self._factors) if factors >> position & 1)
            self._products[factors] = prod(size(self.dependencies.questions[name]) for name in chosen)
        return self._products[factors]


def _by_distance(dependencies: Dependencies) -> tuple[Key, ...]:
    """The forks, those that are furthest from the outputs first: so all that look at an answer stand together."""
    distance = dict.fromkeys(dependencies.forks, 0)
    in_order = dependencies.in_order()
    for fork in reversed(in_order):
        for need in dependencies.forks[fork].values():
            for other in need.forks:
                distance[other] = max(distance[other], distance[fork] + 1)
    return tuple(sorted(in_order, key=lambda fork: -distance[fork]))


def _union(bits: Iterable[int]) -> int:
    found = 0
    for bit in bits:
        found |= bit
    return found


def _classes(
    dependencies: Dependencies, found: Reduced, apart: set[QuestionPath]
) -> dict[QuestionPath, dict[Answer, list[Answer]]]:
    """Answers to a question that need the same at each of its forks are told apart by nothing: one stands for all."""
    forks: dict[QuestionPath, list[Key]] = {}
    for fork, name in dependencies.asking.items():
        forks.setdefault(name, []).append(fork)
    every: dict[QuestionPath, dict[Answer, list[Answer]]] = {}
    for name, places in forks.items():
        first: dict[object, Answer] = {}
        classes: dict[Answer, list[Answer]] = {}
        for answer in found.forks[places[0]]:
            signature = answer if name in apart else tuple(found.forks[place][answer] for place in places)
            classes.setdefault(first.setdefault(signature, answer), []).append(answer)
        every[name] = classes
    return every


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
