"""The answers of a genotype as tables: places by questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archdsl.cli.output import plural, table
from archdsl.cli.question_paths import natural, split
from archdsl.space import Branch, Program, QuestionPath, QuestionScope, Step, spell_scope
from archdsl.space.trace import Answers

_WIDEST = 120
_NOT_ASKED = "-"

Sheet = dict[QuestionScope, "dict[Name, str]"]
"""Answers by place, and there by name."""


class Name(NamedTuple):
    """What is asked at a place, and whose answer it is."""

    branch: Branch | None
    question: str

    def __str__(self) -> str:
        return self.question if self.branch is None else f"{self.branch}.{self.question}"


def answers_text(program: Program, answers: Answers) -> str:
    """The answers that count; `-` where a question is not asked."""
    alone: list[tuple[str, str]] = []
    sheets: list[Sheet] = []
    for path in _in_order(program, answers):
        place, question = split(path)
        name, answer = Name(path.branch, question), ", ".join(answers[path])
        if not place:
            alone.append((str(name), answer))
        else:
            _sheet(sheets, place, name).setdefault(place, {})[name] = answer
    parts = [f"{plural(len(answers), 'answer')}\n"]
    if alone:
        parts.append(table(alone))
    return "\n".join([*parts, *(_table(program, sheet) for sheet in sheets)])


def _in_order(program: Program, answers: Answers) -> list[QuestionPath]:
    """By structure as the space has them, then by number; at a place branch by branch, as the space asks there."""
    structures: dict[QuestionScope, int] = {}
    for question in program.questions:
        structures.setdefault(_structure(split(question)[0]), len(structures))
    asked = {path: position for position, path in enumerate(program.questions)}

    def key(path: QuestionPath) -> tuple[object, ...]:
        place, _ = split(path)
        return structures[_structure(place)], natural(place), program.order(path.branch), asked[path.question]

    return sorted(answers, key=key)


def _structure(place: QuestionScope) -> QuestionScope:
    return (*place[:-1], place[-1].structure) if place else ()


def _sheet(sheets: list[Sheet], place: QuestionScope, name: Name) -> Sheet:
    """The sheet in which a place stands: with those of its structure, and those that are asked the same."""
    for sheet in sheets:
        if place in sheet or any(_structure(place) == _structure(other) or name in sheet[other] for other in sheet):
            return sheet
    sheets.append({})
    return sheets[-1]


def _table(program: Program, sheet: Sheet) -> str:
    # Every name of a sheet: branch by branch, then what all share, as they are met.
    names = sorted(
        dict.fromkeys(name for there in sheet.values() for name in there),
        key=lambda name: program.order(name.branch) or len(program.branches) + 1,
    )
    rows = {spell_scope(place): {str(name): answer for name, answer in there.items()} for place, there in sheet.items()}
    columns = [str(name) for name in names]
    turned = {name: {place: there[name] for place, there in rows.items() if name in there} for name in columns}
    text = _crossed(rows, columns) if len(rows) >= len(columns) else _crossed(turned, list(rows))
    if max(map(len, text.splitlines())) <= _WIDEST:
        return text
    return table(
        [
            (spell_scope((*place, Step(str(name)))), answer)
            for place, there in sheet.items()
            for name, answer in there.items()
        ]
    )


def _crossed(sheet: Mapping[str, Mapping[str, str]], columns: Sequence[str]) -> str:
    rows = [("", *columns)]
    rows += [(row, *(there.get(column, _NOT_ASKED) for column in columns)) for row, there in sheet.items()]
    return table(rows)
