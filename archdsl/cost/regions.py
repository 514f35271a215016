"""A program cut into regions between gates, and what each region costs by the numbers that meet in it.

A gate is a map at which the way back forks, or that several regions read. A region is what lies between a gate and
the gates before it under one answer. Few numbers meet in one, so it is walked with each combination of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Final, NamedTuple, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.rows import call_of
from archdsl.ops import Count, Dim, Shape, ShapeError
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Branch, Chosen, Image, Keep, MapChannels, Node, OfBranch, Program, Question, Result
from archdsl.space.concrete import Answer, Computed, Concrete
from archdsl.space.path import QuestionPath
from archdsl.space.program import Asked, Measured, Searching, Select, Unread
from archdsl.space.symbolic_channels import Piecewise, chosen_in
from archdsl.space.walk import Key, Walk, varying

MOST: Final = 4_096
"""In so many ways the numbers of one region can turn out; where there are more it is not walked."""

_ABSENT: Final = -1
"""In the place of a node: the map is not there."""


class Prices(Protocol):
    """What the nodes of a region cost."""

    @property
    def count(self) -> int:
        """How many figures there are."""
        ...

    @property
    def of_ops(self) -> bool:
        """Whether an op has one price, as a whole."""
        ...

    def of(
        self, steps: Mapping[Key, Computed], shape: Callable[[Key], Shape], end: Key | None
    ) -> tuple[float, ...] | None:
        """Of nodes that lead to a map, each of which and of what they read has a shape. None where they cannot be.

        Raises TooLarge.
        """
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """A gate under one answer."""

    answer: str | None
    """None where it asks nothing."""
    start: int
    """The node that is its map then."""
    entries: tuple[tuple[int, Branch | None], ...]
    """The gates that the region reads, and the branch for which: None for whichever computes the region."""
    channels: NDArray[np.intp]
    """By the channels of its entries and the answers to the gate's numbers the channels of its map, as a position
    among those of the gate; -1 where the numbers do not fit together."""
    costs: NDArray[np.float64]
    """By the same, and by figure, then by figure negated: its least is the greatest. Infinite where they do not fit."""

    @property
    def passes(self) -> bool:
        """Whether nothing is computed: the map is that of a gate, or absent."""
        return self.start == _ABSENT or [node for node, _ in self.entries] == [self.start]


@dataclass(frozen=True, slots=True)
class Gate:
    """A map, with the ways in which it can come about."""

    node: int
    question: QuestionPath | None
    per_branch: bool
    varies: bool
    """Whether branches can differ in it."""
    counts: tuple[int, ...]
    """The channels that it can have; 0 where it is absent."""
    numbers: tuple[QuestionPath, ...]
    """The questions whose answers are numbers in its regions."""
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Regions:
    """A program in pieces."""

    program: Program
    gates: Mapping[int, Gate]
    """By node, each behind those that it reads."""
    results: tuple[int, ...]
    """The gates where it ends."""
    prices: Prices
    origins: Sequence[int]
    """For each node the primitives and images that its map can be of, as bits."""

    @classmethod
    def of(cls, program: Program, prices: Prices, *, auxiliary: bool = False) -> Regions:
        """Raises TooLarge where a region hangs on too much, or a program has what regions do not tell apart.

        `auxiliary` with the outputs that are only trained with.
        """
        results = tuple(
            index
            for index in program.results
            if isinstance(result := program.nodes[index].payload, Result) and (auxiliary or not result.auxiliary)
        )
        if len(program.branches) > 2:
            raise TooLarge
        return cls(program, _Cut(program, prices, results).gates(), results, prices, _origins(program))


@dataclass(slots=True)
class _Region:
    """A way before its numbers are walked."""

    answer: str | None
    start: int
    inside: list[int] = field(default_factory=list[int])
    entries: list[tuple[int, Branch | None]] = field(default_factory=list["tuple[int, Branch | None]"])
    numbers: dict[QuestionPath, tuple[int, ...]] = field(default_factory=dict[QuestionPath, tuple[int, ...]])


_Table: TypeAlias = "tuple[NDArray[np.intp], NDArray[np.float64]]"
"""The channels of a map, -1 where numbers do not fit, and its costs."""


class _Cut:
    def __init__(self, program: Program, prices: Prices, results: Sequence[int]) -> None:
        self.program = program
        self.prices = prices
        self.varying = varying(program)
        self.is_gate = _gates(program, results)
        self.branch = next(iter(program.branches), None)
        self._walked: dict[Hashable, _Table] = {}
        self._calls: dict[object, tuple[int, str | None]] = {}
        """Where each op lies."""

    def gates(self) -> dict[int, Gate]:
        found: dict[int, Gate] = {}
        for node in sorted(self.is_gate):
            found[node] = self._gate(node, found)
        return found

    def _gate(self, index: int, before: Mapping[int, Gate]) -> Gate:
        regions = list(self._regions(index))
        numbers: dict[QuestionPath, tuple[int, ...]] = {}
        for region in regions:
            numbers |= region.numbers
        tables = [self._walk(index, region, numbers, before) for region in regions]
        counts = sorted({int(count) for channels, _ in tables for count in np.unique(channels) if count >= 0})
        position = np.full(max(counts, default=0) + 2, -1, dtype=np.intp)
        position[counts] = range(len(counts))
        question = _asked(self.program.nodes[index])
        return Gate(
            index,
            question,
            question is not None and self.program.questions[question].per_branch,
            index in self.varying,
            tuple(counts),
            tuple(numbers),
            tuple(
                Way(region.answer, region.start, tuple(region.entries), position[channels], costs)
                for region, (channels, costs) in zip(regions, tables, strict=True)
            ),
        )

    def _regions(self, index: int) -> Iterator[_Region]:
        node = self.program.nodes[index]
        question = _asked(node)
        if question is None:
            yield self._region(None, index)
            return
        sources = dict(_options(self.program, index))
        for answer in self.program.questions[question].answers:
            # Where no label has the answer the map is absent.
            yield self._region(answer, sources[answer]) if answer in sources else _Region(answer, _ABSENT)

    def _region(self, answer: str | None, start: int) -> _Region:
        region = _Region(answer, start)
        opened = answer is None
        waiting: list[tuple[int, Branch | None]] = [(region.start, None)]
        seen: set[tuple[int, Branch | None]] = set()
        while waiting:
            index, branch = waiting.pop()
            branch = branch if index in self.varying else None
            if (index, branch) in seen:
                continue
            seen.add((index, branch))
            node = self.program.nodes[index]
            if index in self.is_gate and not (opened and index == region.start):
                region.entries.append((index, branch))
                continue
            region.inside.append(index)
            for count in _counts(node):
                for leaf in chosen_in(count):
                    question = self.program.questions[leaf.question]
                    if question.per_branch:
                        raise TooLarge
                    spelled = {str(number): number for number in leaf.numbers}
                    region.numbers[leaf.question] = tuple(spelled[answer] for answer in question.answers)
            inner = node.payload.branch if isinstance(node.payload, OfBranch) else branch
            waiting.extend((source, inner) for _, source in reversed(list(_options(self.program, index))))
            call = call_of(node.frames) if self.prices.of_ops else ()
            if call and self._calls.setdefault(call, (start, answer)) != (start, answer):
                raise TooLarge
        return region

    def _walk(
        self,
        gate: int,
        region: _Region,
        numbers: Mapping[QuestionPath, tuple[int, ...]],
        before: Mapping[int, Gate],
    ) -> _Table:
        """By channels of entries and by all numbers of the gate; those that the region does not read change nothing."""
        mine = [path for path in numbers if path in region.numbers]
        sets = [before[node].counts for node, _ in region.entries] + [numbers[path] for path in mine]
        if prod(map(len, sets)) > MOST:
            raise TooLarge
        form = (self._form(region, mine), tuple(sets), gate in self.varying)
        if form not in self._walked:
            self._walked[form] = self._tabulate(gate, region, mine, sets)
        channels, costs = self._walked[form]
        entries = len(region.entries)
        for position, (path, answers) in enumerate(numbers.items()):
            if path not in region.numbers:
                axis = entries + position
                channels = np.repeat(np.expand_dims(channels, axis), len(answers), axis)
                costs = np.repeat(np.expand_dims(costs, axis), len(answers), axis)
        return channels, costs

    def _tabulate(
        self, gate: int, region: _Region, numbers: Sequence[QuestionPath], sets: Sequence[Sequence[int]]
    ) -> _Table:
        size = tuple(map(len, sets))
        channels = np.full(size, -1, dtype=np.intp)
        costs = np.full((*size, 2 * self.prices.count), np.inf)
        whose = self.branch if gate in self.varying else None
        for place, given in zip(np.ndindex(*size), product(*sets), strict=True):
            entries = dict(zip(region.entries, given, strict=False))
            answers = dict(zip(numbers, given[len(entries) :], strict=True))
            try:
                count, price = self._evaluate(region, whose, entries, answers)
            except _Misfit:
                continue
            if price is not None:
                channels[place], costs[place] = count, [*price, *(-each for each in price)]
        return channels, costs

    def _evaluate(
        self,
        region: _Region,
        whose: Branch | None,
        entries: Mapping[tuple[int, Branch | None], int],
        answers: Mapping[QuestionPath, int],
    ) -> tuple[int, tuple[float, ...] | None]:
        """The channels of a region's map and its costs. Raises _Misfit."""
        domain = _Numbers(answers)
        walk = Walk(self.program, domain)
        outside: set[Key] = set()
        for (node, branch), count in entries.items():
            key = walk.key(node, branch or whose)
            if key in outside:
                raise TooLarge
            outside.add(key)
            shape = self.program.nodes[node].shape
            walk.values[key] = key if count else None
            if count:
                domain.computed[key] = Computed(key, Image("x"), (), Shape(count, shape.height, shape.width))
        end = None if region.start == _ABSENT else walk.of(region.start, whose)
        if end is None:
            if any(entries.values()):
                raise TooLarge  # what is read would hang on numbers
            return 0, self.prices.of({}, lambda key: domain.computed[key].shape, None)
        steps: dict[Key, Computed] = {}
        waiting, read = [end], set[Key]()
        while waiting:
            key = waiting.pop()
            if key in outside:
                read.add(key)
            elif key not in steps:
                steps[key] = domain.computed[key]
                waiting.extend(steps[key].inputs)
        if any(count and walk.key(node, branch or whose) not in read for (node, branch), count in entries.items()):
            raise TooLarge
        return domain.channels(end), self.prices.of(steps, lambda key: domain.computed[key].shape, end)

    def _form(self, region: _Region, numbers: Sequence[QuestionPath]) -> Hashable:
        """What a region is, apart from where it stands."""
        place = {node: position for position, node in enumerate(region.inside)}
        entries = {entry: -1 - position for position, entry in enumerate(region.entries)}
        sizes = tuple(self.program.nodes[node].shape[1:] for node, _ in region.entries)

        def number(count: Count) -> Hashable:
            if isinstance(count, int):
                return count
            return tuple((tuple(map(leaf_form, monomial)), coefficient) for monomial, coefficient in count.terms)

        def leaf_form(leaf: Leaf) -> Hashable:
            match leaf:
                case Chosen(question):
                    return "chosen", numbers.index(question)
                case MapChannels(node):
                    return "channels", refer(node)
                case Piecewise(subject, arms):
                    return "case", number(subject), tuple((label, number(part)) for label, part in arms)
                case _:
                    raise TooLarge

        def refer(node: int) -> Hashable:
            return place[node] if node in place else tuple(at for entry, at in entries.items() if entry[0] == node)

        def payload(node: Node) -> Hashable:
            match node.payload:
                case Apply(primitive, attributes):
                    given = tuple(
                        (name, number(value) if isinstance(value, Dim) else value) for name, value in attributes
                    )
                    return primitive, given
                case Select(Measured(count), labels):
                    return "case", number(count), labels
                case OfBranch():
                    return "branch"
                case other:
                    return type(other).__name__

        calls: dict[object, int] = {}
        return (
            refer(region.start) if region.start != _ABSENT else None,
            sizes,
            tuple(
                (
                    payload(node := self.program.nodes[index]),
                    tuple(refer(source) for _, source in _options(self.program, index)),
                    node.shape[1:],
                    calls.setdefault(call_of(node.frames) or None, len(calls)),
                )
                for index in region.inside
            ),
        )


class _Misfit(Exception):
    """Numbers that do not fit together."""


@final
class _Numbers(Concrete):
    """Questions about maps are answered by the cut; those about numbers are given."""

    def __init__(self, given: Mapping[QuestionPath, int]) -> None:
        super().__init__()
        self.given = given

    def answer(self, path: QuestionPath, question: Question) -> Answer:
        raise TooLarge

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> int:
        if path not in self.given:
            raise TooLarge
        return self.given[path]

    def fit(self, key: Key, payload: Apply, inputs: Sequence[Shape]) -> Shape:
        try:
            return PRIMITIVES[payload.primitive].shape(inputs, payload.attribute)
        except ShapeError:
            raise _Misfit from None

    def total(self, count: Dim, leaves: Mapping[Leaf, int]) -> int:
        try:
            return count.evaluate(leaves.__getitem__)
        except ArithmeticError:
            raise _Misfit from None


def _asked(node: Node) -> QuestionPath | None:
    """The question which of its inputs a node is."""
    match node.payload:
        case Select(Asked(question)):
            return question
        case _:
            return None


def _options(program: Program, index: int) -> Iterator[tuple[str | None, int]]:
    """What a gate reads by answer: itself where it asks nothing; of any other node its inputs."""
    node = program.nodes[index]
    match node.payload:
        case Select(Searching(), labels):
            yield from ((None, source) for label, source in zip(labels, node.inputs, strict=True) if label == "no")
        case Select(Asked(question), labels):
            answers = program.questions[question].answers
            yield from (
                (str(label), source) for label, source in zip(labels, node.inputs, strict=True) if label in answers
            )
        case Keep() | Select(Unread()):
            raise TooLarge
        case _:
            yield from ((None, source) for source in node.inputs)


def _counts(node: Node) -> Iterator[Count]:
    """The numbers that a node reads."""
    match node.payload:
        case Apply(_, attributes):
            yield from (value for _, value in attributes if isinstance(value, Dim))
        case Select(Measured(count)):
            yield count
        case _:
            pass


def _measured_in(count: Count) -> Iterator[int]:
    """The maps whose channels a number is made of."""
    for leaf in () if isinstance(count, int) else count.leaves():
        match leaf:
            case MapChannels(node):
                yield node
            case Piecewise(subject, arms):
                for part in (subject, *(part for _, part in arms)):
                    yield from _measured_in(part)
            case _:
                pass


def _gates(program: Program, results: Sequence[int]) -> frozenset[int]:
    """Where regions begin: questions, and nodes that several regions read."""
    varies = varying(program)
    owners: dict[int, set[_Owner]] = {index: set() for index in results}
    found: set[int] = set()
    for index in reversed(range(len(program.nodes))):
        if index not in owners:
            continue
        node = program.nodes[index]
        if _asked(node) is not None or isinstance(node.payload, Result | Image) or len(owners[index]) > 1:
            found.add(index)
        for answer, source in _options(program, index):
            owner = _Owner(index, answer, None) if index in found else next(iter(owners[index]))
            branch = node.payload.branch if isinstance(node.payload, OfBranch) else owner.branch
            owners.setdefault(source, set()).add(owner._replace(branch=branch if source in varies else None))
        for count in _counts(node):
            owner = _Owner(index, None, None) if index in found else next(iter(owners[index]))
            for source in _measured_in(count):
                owners.setdefault(source, set()).add(owner._replace(branch=owner.branch if source in varies else None))
    return frozenset(found)


class _Owner(NamedTuple):
    """A region, and the branch for which it computes a node: None for that which computes the region."""

    gate: int
    answer: str | None
    branch: Branch | None


def _origins(program: Program) -> list[int]:
    found: list[int] = []
    for index, node in enumerate(program.nodes):
        before = 0
        for source in node.inputs:
            before |= found[source]
        match node.payload:
            case Apply(primitive):
                found.append(1 << index | (before if PRIMITIVES[primitive].traits.identity_of_one else 0))
            case Image() | Keep():
                found.append(1 << index | before)
            case _:
                found.append(before)
    return found
