"""Numbers that open questions decide, as tables over their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from archdsl.space import QuestionPath

TABLE_LIMIT: Final = 4096
"""A number that more combinations of answers decide is not listed."""


Case: TypeAlias = "tuple[tuple[QuestionPath, str], ...]"
"""Answers, each with the path of its question."""


class Deciding(NamedTuple):
    """A question that decides a number."""

    path: QuestionPath
    answers: tuple[str, ...]
    """Those that it may have."""
    given: str | None
    """The one that it has, where it has one."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A number that the answers to some questions decide."""

    questions: tuple[Deciding, ...]
    values: tuple[int, ...]
    """The number under each combination of answers, the last question's changing fastest."""
    now: int
    """The number that layers are run with: the largest that agrees with the answers that are given."""

    def cases(self) -> Iterator[tuple[Case, int]]:
        """Each combination of answers with its number."""
        paths = [each.path for each in self.questions]
        for answers, value in zip(product(*(each.answers for each in self.questions)), self.values, strict=True):
            yield tuple(zip(paths, answers, strict=True)), value

    def possible(self) -> Iterator[tuple[Case, int]]:
        """Those that agree with the answers that are given."""
        given = {each.path: each.given for each in self.questions if each.given is not None}
        for case, value in self.cases():
            if all(given.get(path, answer) == answer for path, answer in case):
                yield case, value

    @property
    def open(self) -> bool:
        """Whether a question without an answer decides it."""
        return any(each.given is None for each in self.questions)


Number: TypeAlias = "int | Mixed"


class TooManyCases(Exception):
    """A number that hangs on too many questions to be listed."""


def now(number: Number) -> int:
    return number if isinstance(number, int) else number.now


def combined(function: Callable[[Sequence[int]], int], numbers: Sequence[Number]) -> Number:
    """A function of numbers, under each combination of the answers that decide them. Raises TooManyCases."""
    questions = {each: None for number in numbers if isinstance(number, Mixed) for each in number.questions}
    if not questions:
        return function([now(number) for number in numbers])
    if prod(len(each.answers) for each in questions) > TABLE_LIMIT:
        raise TooManyCases
    readers = [_reader(number) for number in numbers]
    values = tuple(
        function(
            [read({each.path: answer for each, answer in zip(questions, answers, strict=True)}) for read in readers]
        )
        for answers in product(*(each.answers for each in questions))
    )
    return values[0] if len(set(values)) == 1 else mixed(tuple(questions), values)


def mixed(questions: tuple[Deciding, ...], values: tuple[int, ...]) -> Mixed:
    largest = max(value for _, value in Mixed(questions, values, 0).possible())
    return Mixed(questions, values, largest)


def _reader(number: Number) -> Callable[[Mapping[QuestionPath, str]], int]:
    if isinstance(number, int):
        return lambda _: number
    table = {tuple(answer for _, answer in case): value for case, value in number.cases()}
    paths = [each.path for each in number.questions]
    return lambda answers: table[tuple(answers[path] for path in paths)]
