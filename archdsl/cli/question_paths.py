"""Question paths in output: the place and the name of a question."""

from __future__ import annotations

import re

from archdsl.space import QuestionPath, QuestionScope, Step, parse_scope, spell_relative, spell_scope

_NUMBERS = re.compile(r"(\d+)")


def split(path: QuestionPath) -> tuple[QuestionScope, str]:
    """The place and the name there: `trunk[5][8]` and `operator`; no place where the path is a name alone."""
    if path.scope or not path.node:
        return path.scope, spell_scope(path.steps[len(path.scope) :])
    return (Step(path.node),), path.name


def natural(place: QuestionScope) -> tuple[tuple[int, str], ...]:
    """A key that sorts 2 before 10."""
    parts = _NUMBERS.split(spell_scope(place))
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def relative(place: QuestionScope, answer: str) -> str:
    """An answer that names a place, as seen from here: `trunk[n - 1][8].stay` in `trunk[5][16]`."""
    there = parse_scope(answer)
    return spell_relative(there, place) if there else answer
