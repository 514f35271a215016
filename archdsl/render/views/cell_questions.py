"""What the cells of a network ask, and what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archdsl.diff import Side
from archdsl.diff.cells import Cell
from archdsl.render.views.parts import holding_chains, part_of
from archdsl.space import Asked, Keep, Program, QuestionKind, QuestionPath, Select, spell_scope


@dataclass(frozen=True, slots=True)
class Asking:
    """What a cell asks; the exits of chains are not among it."""

    scope: str
    """Who shares its answers: `normal`, `normal@h1`, or the cell's own path."""
    questions: tuple[QuestionPath, ...]


def asking(program: Program, cells: Iterable[Cell]) -> dict[str, Asking]:
    """What each cell asks that asks something, by its path."""
    by_scope: dict[str, list[QuestionPath]] = {}
    for question in program.questions.values():
        if question.kind not in (QuestionKind.EXIT, QuestionKind.BRANCH):
            by_scope.setdefault(_scope(question.path), []).append(question.path)
    scopes = _scopes(program)
    found: dict[str, Asking] = {}
    for cell in cells:
        # A width is asked by no node: it stands in a count of channels, so its cell is known by its name.
        scope = scopes.get(cell.path) or (cell.path if cell.path in by_scope else cell.definition)
        if scope in by_scope:
            found[cell.path] = Asking(scope, tuple(by_scope[scope]))
    return found


def _scopes(program: Program) -> dict[str, str]:
    holders = holding_chains([node.frames for node in program.nodes])
    found: dict[str, str] = {}
    for node in program.nodes:
        match node.payload:
            case Select(Asked(path), _) | Keep(path, _) if program.questions[path].kind is not QuestionKind.EXIT:
                found.setdefault(part_of(node, holders)[0], _scope(path))
            case _:
                pass
    return found


def _scope(path: QuestionPath) -> str:
    return spell_scope(path.scope) or path.place


def answers_in(side: Side, asked: Asking) -> Mapping[str, tuple[str, ...]]:
    """The answers that a cell has, by the paths of its questions without the scope."""
    return {
        spell_scope(path.steps[len(path.scope) or len(path.steps) - 1 :]): side.answers[path]
        for path in asked.questions
        if path in side.answers
    }


def answered(side: Side, asked: Asking) -> tuple[str, ...]:
    """Its ops, each with how often it is taken, and its numbers; nothing as long as something is open."""
    if not side.graph.closed and any(path not in side.answers for path in asked.questions):
        return ()
    counts: Counter[str] = Counter()
    for path in asked.questions:
        if side.program.questions[path].kind is not QuestionKind.KEEP:
            for answer in side.answers.get(path, ()):
                counts[f"{path.name} = {answer}" if answer.isdecimal() else answer] += 1
    return tuple(answer if times == 1 else f"{times} × {answer}" for answer, times in counts.items())
