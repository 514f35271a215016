"""Numbers that answers decide: the leaves of channel counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archdsl.ops import Count
from archdsl.ops.dims import Leaf, constant, values, variable
from archdsl.space.path import QuestionPath
from archdsl.space.program import Label, Otherwise, Within


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer to a question whose candidates are numbers (`choose width in {4, 6, 8}`)."""

    question: QuestionPath
    numbers: tuple[int, ...] = field(compare=False)

    def __str__(self) -> str:
        return str(self.question)

    def domain(self) -> frozenset[int] | None:
        return frozenset(self.numbers)


@dataclass(frozen=True, slots=True)
class MapChannels:
    """The channels of a mix whose candidates differ in the network, and agree in the supernet or never meet there."""

    node: int = field(compare=False)
    """The mix by its place in the program."""
    path: str
    """The mix by its path, which a graph knows it by."""
    numbers: frozenset[int] | None = field(compare=False, repr=False)
    """What they can be, or None where that is too much to list."""
    searching: Count = field(compare=False, repr=False)
    """The channels that the mix has in the supernet."""

    def __str__(self) -> str:
        return f"channels({self.path})"

    @classmethod
    def of(cls, node: int, path: str, options: tuple[Count, ...]) -> MapChannels:
        """The channels of a node that are one of `options`."""
        return cls(node, path, _union(options), in_supernet(options[0]))

    def domain(self) -> frozenset[int] | None:
        return self.numbers


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A case on a number that answers decide; the first arm whose label holds."""

    subject: Count
    arms: tuple[tuple[Label, Count], ...]

    def __str__(self) -> str:
        return f"case({self.subject}; {'; '.join(f'{label}: {count}' for label, count in self.arms)})"

    def domain(self) -> frozenset[int] | None:
        return _union(tuple(count for _, count in self.arms))


def holds(label: Label, number: int) -> bool:
    """Whether a label of a case on numbers takes this number."""
    match label:
        case Within(low, high):
            return low <= number <= high
        case Otherwise():
            return True
        case str():
            return label == str(number)


def in_supernet(count: Count) -> Count:
    """The count as the supernet sees it, where mixes have the channels that all their candidates share."""
    if isinstance(count, int) or not any(isinstance(leaf, MapChannels) for leaf in count.leaves()):
        return count
    total: Count = 0
    for monomial, coefficient in count.terms:
        product: Count = constant(coefficient)
        for leaf in monomial:
            product = product * (in_supernet(leaf.searching) if isinstance(leaf, MapChannels) else variable(leaf))
        total = total + product
    return total


def assume(count: Count, answers: Mapping[QuestionPath, str]) -> Count:
    """The count where some answers are taken for granted."""
    if isinstance(count, int) or not any(chosen.question in answers for chosen in chosen_in(count)):
        return count
    total: Count = 0
    for monomial, coefficient in count.terms:
        product: Count = constant(coefficient)
        for leaf in monomial:
            product = product * _assumed(leaf, answers)
        total = total + product
    return total


def _assumed(leaf: Leaf, answers: Mapping[QuestionPath, str]) -> Count:
    match leaf:
        case Chosen(question) if question in answers:
            return int(answers[question])
        case Piecewise(subject, arms):
            subject = assume(subject, answers)
            if isinstance(subject, int):
                return assume(next(count for label, count in arms if holds(label, subject)), answers)
            return variable(Piecewise(subject, tuple((label, assume(count, answers)) for label, count in arms)))
        case _:
            return variable(leaf)


def chosen_in(count: Count) -> Iterator[Chosen]:
    """The answers that decide a count, without those that decide the channels of the maps that it looks at."""
    for leaf in () if isinstance(count, int) else count.leaves():
        match leaf:
            case Chosen():
                yield leaf
            case Piecewise(subject, arms):
                for inner in (subject, *(part for _, part in arms)):
                    yield from chosen_in(inner)
            case _:
                pass


def _union(counts: tuple[Count, ...]) -> frozenset[int] | None:
    found: set[int] = set()
    for count in counts:
        numbers = values(count)
        if numbers is None:
            return None
        found.update(number for number in numbers if isinstance(number, int))
    return frozenset(found)
