"""Answers by the spelling of their paths, as records and journals have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.space import Program, QuestionPath
from archdsl.space.trace import Answers


class OtherAnswers(Exception):
    """Answers to other questions than a program has; the message names one."""


def spelled_answers(program: Program, answers: Answers) -> dict[str, list[str]]:
    return {program.spell(path): list(answer) for path, answer in answers.items()}


def read_answers(program: Program, spelled: Mapping[str, Sequence[str]]) -> Answers:
    """Raises OtherAnswers for a path that the program does not ask."""
    paths = {program.spell(path): path for path in _paths(program)}
    for name in spelled:
        if name not in paths:
            raise OtherAnswers(f"`{program.name}` has no question `{name}`")
    return {paths[name]: tuple(answer) for name, answer in spelled.items()}


def _paths(program: Program) -> list[QuestionPath]:
    """Every path that an answer can have."""
    own = list(program.questions)
    of_branches = [
        path.of(branch)
        for path, question in program.questions.items()
        if question.per_branch
        for branch in program.branches
    ]
    return [*own, *of_branches]
