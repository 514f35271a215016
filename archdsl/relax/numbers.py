"""Numbers that open questions decide, as tables over their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
        given = [each.given for each in self.questions]
        for case, value in self.cases():
            if all(wanted is None or wanted == answer for wanted, (_, answer) in zip(given, case, strict=True)):
                yield case, value

    @property
    def open(self) -> bool:
        """Whether a question without an answer decides it."""
        return any(each.given is None for each in self.questions)


Number: TypeAlias = "int | Mixed"


class TooManyCases(Exception):
    """A number that hangs on too many questions to be listed."""

    def __init__(self, questions: Sequence[Deciding]) -> None:
        super().__init__(f"{len(questions)} questions decide one number")
        self.questions = questions


def now(number: Number) -> int:
    return number if isinstance(number, int) else number.now


def combined(function: Callable[[Sequence[int]], int], numbers: Sequence[Number]) -> Number:
    """A function of numbers, under each combination of the answers that decide them. Raises TooManyCases."""
    tables = [number for number in numbers if isinstance(number, Mixed)]
    if not tables:
        return function([now(number) for number in numbers])
    questions = tuple({each: None for number in tables for each in number.questions})
    count = prod(len(each.answers) for each in questions)
    if count > TABLE_LIMIT:
        raise TooManyCases(questions)
    columns = [[number] * count if isinstance(number, int) else _column(number, questions) for number in numbers]
    values = tuple(function(row) for row in zip(*columns, strict=True))
    return values[0] if len(set(values)) == 1 else mixed(questions, values)


def mixed(questions: tuple[Deciding, ...], values: tuple[int, ...]) -> Mixed:
    places = [0]
    for each in questions:
        size = len(each.answers)
        followed = range(size) if each.given is None else (each.answers.index(each.given),)
        places = [place * size + answer for place in places for answer in followed]
    return Mixed(questions, values, max([values[place] for place in places]))


def _column(number: Mixed, questions: tuple[Deciding, ...]) -> Sequence[int]:
    """The values of a number under each combination of answers to these questions, its own among them."""
    if number.questions == questions:
        return number.values
    table = {tuple(answer for _, answer in case): value for case, value in number.cases()}
    places = [questions.index(each) for each in number.questions]
    return [
        table[tuple(answers[place] for place in places)] for answers in product(*(each.answers for each in questions))
    ]
