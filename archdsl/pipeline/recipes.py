"""Searches, trainings and costs of a text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.pipeline.load import Loaded, NotLoaded, opened
from archdsl.sema.driver import Checker, Recipe
from archdsl.sema.modules.load import Unit
from archdsl.session import SESSION, Text, in_order
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.settings import Search, Training
    from archdsl.space import Program


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

    found = _recipes(written, ast.Train, overrides or {})
    return tuple(each for each in found if isinstance(each, Training) and each.space == space)


def searches(
    written: str, space: str, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> tuple[Search, ...]:
    """Every `search … of SPACE` that is known where the text stands, those of its own file first.

    Raises NotLoaded where something is wrong with one of them.
    """
    from archdsl.settings import Search

    found = _recipes(written, ast.Search, overrides or {}, size)
    return tuple(each for each in found if isinstance(each, Search) and each.space == space)


def subject_of(written: str, search: Search) -> str:
    """What names the space, or the genotype, that a search of a text is of: `spaces/net.arch:net`."""
    target, source = opened(written)
    unit = SESSION.checker(Text(source, target.path, target.files)).unit
    name = search.of.partition("(")[0].rpartition(".")[2]
    own = _definer(unit, name)
    return f"{target.file if own is unit or own.path is None else own.path}:{name}"


def programs_of(
    written: str, search: Search, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> Mapping[str, Program]:
    """The programs of phases that lay out another network than that of the search, by the names of the phases.

    `written` names the text of the search. Raises NotLoaded.
    """
    target, source = opened(written)
    given = {**dict(search.parameters), **(overrides or {})}
    own = SESSION.checker(Text(source, target.path, target.files, given, size))
    unit = next(each for each in _units(own.unit) if isinstance(each.items.get(search.name), ast.Search))
    checker = Checker(unit, own.reporter, own.overrides, own.size, own.layouts)
    wanted = [phase for phase in search.phases if phase.network is not None]
    found = {phase.name: checker.program_of(search, phase) for phase in wanted}
    if checker.reporter.failed:
        raise NotLoaded(in_order(checker.reporter.diagnostics))
    return {name: program for name, program in found.items() if program is not None}


def space_parameters(search: Search, overrides: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a search's space: those of its text, and of a command line's those that are not its own."""
    return {**dict(search.parameters), **{name: each for name, each in overrides.items() if name not in search.own}}


def own_parameters(written: str) -> frozenset[str]:
    """The names of the parameters that searches have themselves, of all that are known where the text stands."""
    target, source = opened(written)
    items = (
        item
        for unit in _units(SESSION.checker(Text(source, target.path, target.files)).unit)
        for item in unit.items.values()
        if isinstance(item, ast.Search)
    )
    return frozenset(parameter.name.text for item in items for parameter in item.parameters)


def file_of_space(loaded: Loaded) -> Path | None:
    """Where the space of an item is defined; None where that is no file."""
    return _definer(loaded.meaning.unit, loaded.program.name).path


def _definer(unit: Unit, name: str) -> Unit:
    return next((each for each in _units(unit) if isinstance(each.items.get(name), ast.Space | ast.Genotype)), unit)


def _recipes(
    written: str,
    kind: type[ast.Search | ast.Train],
    overrides: Mapping[str, str],
    size: tuple[int, int] | None = None,
) -> list[Recipe]:
    target, source = opened(written)
    checker = SESSION.checker(Text(source, target.path, target.files, overrides, size))
    found: list[Recipe] = []
    for unit in _units(checker.unit):
        inner = Checker(unit, checker.reporter, checker.overrides, checker.size, checker.layouts)
        made = (inner.recipe(name) for name, item in unit.items.items() if isinstance(item, kind))
        found += [each for each in made if each is not None]
    if checker.reporter.failed:
        raise NotLoaded(in_order(checker.reporter.diagnostics))
    return found


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
