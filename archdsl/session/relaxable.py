"""Searches held against the spaces that they relax: what cannot be mixed as a phase asks (E0621)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from archdsl.diagnostics import Diagnostic, Label
from archdsl.sema.driver import Checker, Recipe
from archdsl.settings import Search
from archdsl.settings.relaxations import Mixing, PartialChannels, runs_one
from archdsl.settings.searches import Phase
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.text import Span


def check_relaxations(checker: Checker, recipes: Iterable[Recipe]) -> Iterator[Diagnostic]:
    """The first thing that keeps each phase from being relaxed.

    Only phases with partial channels, or whose widths are mixed, are lowered: other mixes fit in a checked space, but
    for the few that are found when a supernet is made.
    """
    for search in recipes:
        if not isinstance(search, Search):
            continue
        for phase in search.phases:
            if any(map(_may_fail, phase.relax)):
                yield from _check(checker, search, phase)


def _may_fail(rule: object) -> bool:
    mixes_widths = isinstance(rule, Mixing) and QuestionKind.WIDTH in rule.kinds and not runs_one(rule)
    return mixes_widths or isinstance(rule, PartialChannels)


def _check(checker: Checker, search: Search, phase: Phase) -> Iterator[Diagnostic]:
    from archdsl.relax import check
    from archdsl.relax.phases import questions_in

    program = checker.program_of(search, phase)
    if program is None:
        return
    try:
        questions = questions_in(phase, program, {})
    except ValueError:  # `without` leaves a question no answer, which is said when the phase is run
        return
    found = check(program, questions.structure)
    if found is None:
        return
    asked = _relaxation(checker, search, phase)
    yield found if asked is None else replace(found, secondary=(Label(asked, "relaxed here"),))


def _relaxation(checker: Checker, search: Search, phase: Phase) -> Span | None:
    """What a text says behind `relax`, in the phase or around it."""
    item = checker.unit.items[search.name]
    if not isinstance(item, ast.Search):
        return None
    own = [each.body for each in item.body if isinstance(each, ast.Phase) and each.name.text == phase.name]
    for body in (*own, item.body):
        for statement in body:
            match statement:
                case ast.Assign(target=ast.Target(path=ast.Path(head=ast.Name(text="relax"), parts=())), value=value):
                    return value.span
                case _:
                    pass
    return None
