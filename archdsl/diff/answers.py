"""Answers that differ, and how one set of answers becomes the other."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diff.model import Answer, AnswerChange, Answers
from archdsl.space import Program, Question, QuestionKind
from archdsl.space.trace import trace


def normal_form(program: Program, answers: Answers) -> dict[str, Answer]:
    """Those answers whose questions are asked, in the order of the space. Where one is missing, all that are given."""
    found = trace(program, answers)
    if found.missing:
        return {path: answers[path] for path in _ordered(program, answers)}
    return {path: answers[path] for path in _ordered(program, answers) if path in found.asked}


def compare_answers(before: tuple[Program, Answers], after: tuple[Program, Answers]) -> list[AnswerChange]:
    """The answers that differ, in the order of the later space."""
    (_, old), (program, new) = before, after
    paths = [*_ordered(program, new), *(path for path in _ordered(before[0], old) if path not in new)]
    places = {path: number for number, path in enumerate(program.questions)}
    paths.sort(key=lambda path: places.get(bare_question(program, path), len(places)))
    return [
        AnswerChange(path, _kind(path, before[0], program), old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    ]


def apply(changes: Iterable[AnswerChange], answers: Answers) -> dict[str, Answer]:
    """The answers after these changes: `apply(diff(a, b).answers, a.answers) == b.answers`."""
    found = dict(answers)
    for change in changes:
        if change.after is None:
            found.pop(change.path, None)
        else:
            found[change.path] = change.after
    return found


def bare_question(program: Program, path: str) -> str:
    """A question's path in its space: `trunk[5].operator` of the answer `b.trunk[5].operator`."""
    if path in program.questions:
        return path
    branch, _, rest = path.partition(".")
    return rest if branch in program.branches and rest in program.questions else path


def question_of(program: Program, path: str) -> Question | None:
    return program.questions.get(bare_question(program, path))


def _kind(path: str, *programs: Program) -> QuestionKind:
    found = [question for program in programs if (question := question_of(program, path))]
    return found[-1].kind


def _ordered(program: Program, answers: Answers) -> list[str]:
    places = {path: number for number, path in enumerate(program.questions)}
    return sorted(answers, key=lambda path: places.get(bare_question(program, path), len(places)))
