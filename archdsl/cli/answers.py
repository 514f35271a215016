"""The answers of a genotype for people: a table of places and what is asked there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.cli.output import plural, table
from archdsl.cli.question_paths import natural, split
from archdsl.space import Program

_WIDEST = 120
_NOT_ASKED = "-"

Sheet = dict[str, dict[str, str]]
"""Answers by place, and there by name."""


def answers_text(program: Program, answers: Mapping[str, Sequence[str]]) -> str:
    """The answers that count; `-` where a question is not asked."""
    alone: list[tuple[str, str]] = []
    sheets: list[Sheet] = []
    for path in _in_order(program, answers):
        place, name = _place(program, path)
        answer = ", ".join(answers[path])
        if not place:
            alone.append((name, answer))
        else:
            _sheet(sheets, place, name).setdefault(place, {})[name] = answer
    parts = [f"{plural(len(answers), 'answer')}\n"]
    if alone:
        parts.append(table(alone))
    return "\n".join([*parts, *(_table(sheet, tuple(program.branches)) for sheet in sheets)])


def _place(program: Program, path: str) -> tuple[str, str]:
    """As `split`, with the branch on the side of the name: a place has answers for each branch."""
    branch, _, rest = path.partition(".")
    if branch not in program.branches or not rest:
        return split(path)
    place, name = split(rest)
    return place, f"{branch}.{name}"


def _in_order(program: Program, answers: Mapping[str, Sequence[str]]) -> list[str]:
    """By structure as the space has them, then by number; at a place branch by branch, as the space asks there."""
    structures: dict[str, int] = {}
    for question in program.questions:
        structures.setdefault(_structure(split(question)[0]), len(structures))
    asked, branches = list(program.questions), list(program.branches)

    def key(path: str) -> tuple[object, ...]:
        place, _ = _place(program, path)
        owner, _, rest = path.partition(".")
        branch, question = (branches.index(owner), rest) if owner in branches and rest else (-1, path)
        return structures.get(_structure(place), -1), natural(place), branch, asked.index(question)

    return sorted(answers, key=key)


def _structure(place: str) -> str:
    return place.partition("[")[0]


def _sheet(sheets: list[Sheet], place: str, name: str) -> Sheet:
    """The sheet in which a place stands: with those of its structure, and those that are asked the same."""
    for sheet in sheets:
        if place in sheet or any(_structure(place) == _structure(other) or name in sheet[other] for other in sheet):
            return sheet
    sheets.append({})
    return sheets[-1]


def _table(sheet: Sheet, branches: Sequence[str]) -> str:
    names = _columns(sheet, branches)
    turned = {name: {place: there[name] for place, there in sheet.items() if name in there} for name in names}
    text = _crossed(sheet, names) if len(sheet) >= len(names) else _crossed(turned, list(sheet))
    if max(map(len, text.splitlines())) <= _WIDEST:
        return text
    return table([(f"{place}.{name}", answer) for place, there in sheet.items() for name, answer in there.items()])


def _crossed(sheet: Sheet, columns: Sequence[str]) -> str:
    rows = [("", *columns)]
    rows += [(row, *(there.get(column, _NOT_ASKED) for column in columns)) for row, there in sheet.items()]
    return table(rows)


def _columns(sheet: Sheet, branches: Sequence[str]) -> list[str]:
    """Every name of a sheet: branch by branch, then what all share, as they are met."""
    names = dict.fromkeys(name for there in sheet.values() for name in there)

    def branch(name: str) -> int:
        owner = name.partition(".")[0]
        return branches.index(owner) if owner in branches else len(branches)

    return sorted(names, key=branch)
