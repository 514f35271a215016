"""The difference of two genotypes of one space: answers that differ, and the edits that turn one into the other."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diff.model import Answer, AnswerChange, Answers
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.space.trace import trace


def normal_form(program: Program, answers: Answers) -> dict[QuestionPath, Answer]:
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
    paths.sort(key=lambda path: places.get(path.question, len(places)))
    return [
        AnswerChange(path, _kind(path, before[0], program), old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    ]


def apply(changes: Iterable[AnswerChange], answers: Answers) -> dict[QuestionPath, Answer]:
    """The answers after these changes: `apply(diff(a, b).answers, a.answers) == b.answers`."""
    found = dict(answers)
    for change in changes:
        if change.after is None:
            found.pop(change.path, None)
        else:
            found[change.path] = change.after
    return found


def _kind(path: QuestionPath, *programs: Program) -> QuestionKind:
    return [program.questions[path.question].kind for program in programs if path.question in program.questions][-1]


def _ordered(program: Program, answers: Answers) -> list[QuestionPath]:
    places = {path: number for number, path in enumerate(program.questions)}
    return sorted(answers, key=lambda path: places.get(path.question, len(places)))
