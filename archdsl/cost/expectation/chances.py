"""Chances of answers as one array; even ones, and those of a genotype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archdsl.cost.expectation.symbolic import Variable
from archdsl.space import QuestionPath
from archdsl.space.trace import Answers


def even(variables: Iterable[Variable]) -> dict[QuestionPath, Sequence[float]]:
    """Each answer has the same chance; sums that keep some inputs have no chances, and keep all, as a supernet does."""
    return {each.path: [1 / len(each.answers)] * len(each.answers) for each in variables if not each.keeps}


def placed(variables: Sequence[Variable], given: Mapping[QuestionPath, Sequence[float]]) -> NDArray[np.float64]:
    """One behind the other: of a branch's own answer, or else those of the question; of `keep` without any, all."""
    found = np.zeros(sum(len(each.answers) for each in variables))
    start = 0
    for variable in variables:
        stop = start + len(variable.answers)
        numbers = given.get(variable.path, given.get(variable.path.question))
        if numbers is not None:
            found[start : start + len(numbers)] = numbers
        elif variable.keeps:
            found[stop - 1] = 1
        start = stop
    return found


def certain(variable: Variable, answer: tuple[str, ...]) -> Sequence[float]:
    """1 for an answer that the variable has, 0 for the others."""
    return [float(each == answer) for each in variable.answers]


def given(variables: Iterable[Variable], answers: Answers) -> Mapping[QuestionPath, Sequence[float]]:
    """What is answered is certain: by a branch itself, or by the question for all branches. All else is even."""
    found = even(variables)
    for each in variables:
        answer = answers.get(each.path, answers.get(each.path.question))
        if answer is not None:
            found[each.path] = certain(each, answer)
    return found
