"""Searches, trainings and costs of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl.pipeline.load import NotLoaded, opened
from archdsl.sema.driver import Checker, Recipe
from archdsl.sema.modules.load import Unit
from archdsl.session import SESSION, Text, in_order
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.settings import Training


def load_recipe(
    written: str, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> Recipe | None:
    """The search, training or cost that `file.arch:NAME` names; None where it names no such item.

    Of `file.arch` the one that is named like the file. Raises NotLoaded where something is wrong with it.
    """
    target, source = opened(written)
    name = target.item or (None if target.path is None else target.path.stem)
    text = Text(source, target.path, target.files, overrides or {}, size)
    checked = None if name is None else SESSION.check_recipe(text, name)
    if checked is None:
        return None
    if checked.failed:
        raise NotLoaded(checked.diagnostics)
    return checked.recipes[0]


def trainings(written: str, space: str, *, overrides: Mapping[str, str] | None = None) -> tuple[Training, ...]:
    """Every `train … of SPACE` that is known where a genotype stands, those of its own file first.

    Raises NotLoaded where something is wrong with one of them.
    """
    from archdsl.settings import Training

    target, source = opened(written)
    checker = SESSION.checker(Text(source, target.path, target.files, overrides or {}))
    found: list[Training] = []
    for unit in _units(checker.unit):
        inner = Checker(unit, checker.reporter, checker.overrides)
        names = [name for name, item in unit.items.items() if isinstance(item, ast.Train)]
        recipes = [inner.recipe(name) for name in names]
        found += [each for each in recipes if isinstance(each, Training) and each.space == space]
    if checker.reporter.failed:
        raise NotLoaded(in_order(checker.reporter.diagnostics))
    return tuple(found)


def _units(unit: Unit) -> list[Unit]:
    """A file and those that it uses, each once."""
    found: list[Unit] = []
    waiting = [unit]
    while waiting:
        current = waiting.pop(0)
        if not any(current is each for each in found):
            found.append(current)
            waiting += [*current.used, *current.aliases.values()]
    return found
