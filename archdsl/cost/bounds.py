"""Bounds on what networks of a space cost, where the exact least and greatest are out of reach.

One walk with intervals as maps. Questions are taken to be answered anew wherever they are asked. A network costs at
least its most expensive path, for all else may be shared, and at most what a tree would that computes each map anew for
each of its readers, or all nodes together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Final, TypeAlias, final

from archdsl.cost.kernel import Kernel
from archdsl.cost.rows import alone
from archdsl.ops import Dim, Shape, ShapeError, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Chosen, Label, Node, Program, Question, QuestionPath, Result
from archdsl.space.symbolic_channels import holds
from archdsl.space.walk import Key, Reading, Walk

MOST: Final = 4_096
"""In so many ways the numbers of one node can turn out; where there are more there are no bounds."""

Figure: TypeAlias = Callable[[Kernel], float]
Numbers: TypeAlias = "frozenset[int]"
"""All that a number can be."""


class NoBounds(Exception):
    """The numbers of a node can turn out in too many ways."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """No network costs less, and none more."""

    least: float
    greatest: float


_Costs: TypeAlias = "tuple[float, ...]"
"""One for each figure."""


@dataclass(frozen=True, slots=True)
class _Map:
    """What a map and all before it can cost."""

    least: _Costs
    greatest: _Costs
    channels: Numbers
    """Without any it is always absent."""
    absent: bool
    """Whether it can be."""
    height: int = 0
    width: int = 0


def bounds(program: Program, figures: Sequence[Figure], *, auxiliary: bool = False) -> Sequence[Bounds]:
    """For each of some figures that are sums over primitives, each a kernel of its own. Raises NoBounds."""
    domain = _Intervals(figures)
    walk: Walk[_Map, Numbers] = Walk(program, domain)
    ends = [
        walk.of(index)
        for index in program.results
        if isinstance(result := program.nodes[index].payload, Result) and (auxiliary or not result.auxiliary)
    ]
    least, greatest = _each(max, [end.least for end in ends]), _each(sum, [end.greatest for end in ends])
    return [Bounds(*each) for each in zip(least, map(min, greatest, domain.all_nodes), strict=True)]


@final
class _Intervals:
    searching = False

    def __init__(self, figures: Sequence[Figure]) -> None:
        self.figures = figures
        self.free: _Costs = (0.0,) * len(figures)
        self.nowhere = _Map(self.free, self.free, frozenset(), absent=True)
        self.all_nodes = self.free
        """What all nodes cost together, each at its most expensive."""
        self._known: dict[Hashable, _Costs] = {}

    # Questions: every answer is followed --------------------------------------------------------

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def arms(self, subject: Numbers, labels: Sequence[Label]) -> Sequence[int]:
        return sorted({next(at for at, label in enumerate(labels) if holds(label, number)) for number in subject})

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> _Map:
        channels, height, width = node.shape
        assert isinstance(channels, int)
        return _Map(self.free, self.free, frozenset({channels}), absent=False, height=height, width=width)

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | Numbers], inputs: Sequence[_Map]
    ) -> _Map:
        primitive = PRIMITIVES[payload.primitive]
        certain = [each for each in inputs if not each.absent]
        absent = not certain if primitive.variadic else len(certain) < len(inputs)
        own: list[_Costs] = []
        channels: set[int] = set()
        for applied, read in _variants(payload, attributes, inputs):
            if len(read) < (1 if primitive.variadic else len(inputs)):
                continue
            try:
                written = primitive.shape(read, applied.attribute)
            except ShapeError:
                continue  # no answers that are asked together give that
            alone_there = len(read) == 1 and primitive.traits.identity_of_one
            own.append(self.free if alone_there else self._cost(applied, read, written))
            channels.add(_whole(written))
        if not own:
            return self.nowhere
        most = _each(max, own)
        self.all_nodes = _each(sum, [self.all_nodes, most])
        before = _each(max, [each.least for each in certain]) if certain else self.free
        least = self.free if absent else _each(sum, [before, _each(min, own)])
        greatest = _each(sum, [*(each.greatest for each in inputs), most])
        return _Map(least, greatest, frozenset(channels), absent, node.shape.height, node.shape.width)

    def _cost(self, applied: Apply, read: Sequence[Shape], written: Shape) -> _Costs:
        known = (applied.primitive, applied.attributes, tuple(read))
        if known not in self._known:
            kernel = alone(applied, read, written)
            assert kernel is not None
            self._known[known] = tuple(float(figure(kernel)) for figure in self.figures)
        return self._known[known]

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, _Map]) -> _Map:
        return self._one_of(list(options.values()))

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, _Map]) -> _Map:
        """Whichever are kept, the sum costs at least what the cheapest map does, and at most what all do together."""
        union = self._one_of(list(options.values()))
        if not union.channels or question.keep == 1:
            return union
        shapes = [Shape(count, union.height, union.width) for count in union.channels]
        most = _each(max, [self._cost(Apply(ADD.name), [shape] * question.keep, shape) for shape in shapes])
        self.all_nodes = _each(sum, [self.all_nodes, most])
        return replace(union, greatest=_each(sum, [*(each.greatest for each in options.values()), most]))

    def measured(self, key: Key, subject: Numbers, options: Sequence[tuple[Label, _Map]]) -> _Map:
        return self._one_of([option for _, option in options])

    def _one_of(self, options: Sequence[_Map]) -> _Map:
        there = [each for each in options if each.channels]
        if not there:
            return self.nowhere
        return _Map(
            _each(min, [each.least for each in options]),
            _each(max, [each.greatest for each in options]),
            frozenset[int]().union(*(each.channels for each in there)),
            any(each.absent for each in options),
            there[0].height,
            there[0].width,
        )

    def unread(self, key: Key, readings: Sequence[Reading], source: _Map) -> _Map:
        return replace(source, absent=True)

    def absent(self, key: Key) -> _Map:
        return self.nowhere

    def result(self, key: Key, node: Node, source: _Map) -> _Map:
        return source

    def unanswered(self, key: Key) -> _Map:
        raise AssertionError("every question is followed here")

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> Numbers:
        return frozenset({number})

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> Numbers:
        return frozenset(leaf.numbers)

    def channels(self, source: _Map) -> Numbers:
        return _channels(source)

    def piecewise(self, subject: Numbers, arms: Sequence[tuple[Label, Numbers]]) -> Numbers:
        return frozenset[int]().union(*(numbers for _, numbers in arms))

    def total(self, count: Dim, leaves: Mapping[Leaf, Numbers]) -> Numbers:
        found: set[int] = set()
        for numbers in _combinations(list(leaves.values())):
            try:
                found.add(count.evaluate(dict(zip(leaves, numbers, strict=True)).__getitem__))
            except ArithmeticError:
                continue  # what is not whole fits nothing
        return frozenset(found)


def _each(best: Callable[[Sequence[float]], float], costs: Sequence[_Costs]) -> _Costs:
    """Figure by figure."""
    return tuple(map(best, zip(*costs, strict=True)))


def _channels(source: _Map) -> Numbers:
    """0 where it is absent."""
    return source.channels | {0} if source.absent else source.channels


def _variants(
    payload: Apply, attributes: Mapping[str, Value | Numbers], inputs: Sequence[_Map]
) -> Iterator[tuple[Apply, list[Shape]]]:
    """The primitive with each of its numbers and of its inputs' channels; those that are absent are left out."""
    open_ = [name for name, value in attributes.items() if isinstance(value, frozenset)]
    numbers = [value for value in attributes.values() if isinstance(value, frozenset)]
    channels = [_channels(each) for each in inputs]
    for chosen in _combinations([*numbers, *channels]):
        given = {**attributes, **dict(zip(open_, chosen, strict=False))}
        applied = Apply(payload.primitive, tuple(_closed(given).items()))
        pairs = zip(chosen[len(open_) :], inputs, strict=True)
        yield applied, [Shape(count, each.height, each.width) for count, each in pairs if count]


def _closed(attributes: Mapping[str, Value | Numbers]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if not isinstance(value, frozenset)}


def _combinations(sets: Sequence[Numbers]) -> Iterator[tuple[int, ...]]:
    """Raises NoBounds."""
    if prod(map(len, sets)) > MOST:
        raise NoBounds
    return product(*sets)


def _whole(shape: Shape) -> int:
    assert isinstance(shape.channels, int)
    return shape.channels
