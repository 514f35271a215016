"""Cost tables held against the texts that name them. Where no table was filled yet, nothing is imported or done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.sema.driver import Checker, Recipe
from archdsl.sema.modules.load import Unit
from archdsl.settings import Cost, Search
from archdsl.settings.costs import TableFile
from archdsl.settings.objectives import costs_in
from archdsl.settings.searches import Phase
from archdsl.space import Program
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.cost.diagnostics import Wanted
    from archdsl.cost.tables import Table


@dataclass(slots=True)
class _Named:
    """A table that there is, where the text names it first, and the spaces whose networks it has to price."""

    path: Path
    file: TableFile
    programs: list[tuple[Program, Search]] = field(default_factory=list[tuple[Program, Search]])
    """Each with the search that has them."""


def check_tables(checker: Checker, recipes: Sequence[Recipe]) -> tuple[Diagnostic, ...]:
    """What is wrong with the tables of a file: those that are none, and those that lack rows which a search needs.

    `recipes` are those in which nothing is wrong; each table is reported once.
    """
    return tuple(each for named in _named(checker, recipes) for each in _check(named, checker))


def tables_of(recipes: Iterable[Recipe]) -> tuple[Path, ...]:
    """The files of the tables that recipes name, each once."""
    return tuple(dict.fromkeys(file.path for file, _, _ in _mentions(recipes) if file.path is not None))


def _named(checker: Checker, recipes: Iterable[Recipe]) -> Iterable[_Named]:
    found: dict[Path, _Named] = {}
    for file, search, phase in _mentions(recipes):
        if file.path is not None and file.path.is_file():
            named = found.setdefault(file.path, _Named(file.path, file))
            program = search and checker.program_of(search, phase)
            if search and program and not any(program is each for each, _ in named.programs):
                named.programs.append((program, search))
    return found.values()


def _mentions(recipes: Iterable[Recipe]) -> Iterator[tuple[TableFile, Search | None, Phase | None]]:
    """Tables with the search and the phase that use them; none for a cost as it is defined."""
    for recipe in recipes:
        if isinstance(recipe, Cost) and recipe.table is not None:
            yield recipe.table, None, None
        if isinstance(recipe, Search):
            for phase in recipe.phases:
                terms = [term for each in (phase.objective, phase.pick) if each for term in costs_in(each)]
                yield from ((term.cost.table, recipe, phase) for term in terms if term.cost.table)


def _check(named: _Named, checker: Checker) -> Iterator[Diagnostic]:
    from archdsl.cost.diagnostics import unreadable_table
    from archdsl.cost.tables import TableUnreadable, read_table

    try:
        table = read_table(_from_here(named.path))
    except (TableUnreadable, OSError) as error:
        yield _at(named.file, unreadable_table(named.file.written, error), "read here")
        return
    found = (_lacking(table, program, named.file, search, checker) for program, search in named.programs)
    yield from [each for each in found if each is not None][:1]


def _lacking(table: Table, program: Program, file: TableFile, search: Search, checker: Checker) -> Diagnostic | None:
    from archdsl.cost.diagnostics import missing_rows, unlisted_rows
    from archdsl.cost.space_rows import rows_of_space
    from archdsl.cost.variants import TooManyRows

    try:
        needed = rows_of_space(program)
    except TooManyRows as found:
        return replace(_at(file, unlisted_rows(found, program.name), "not checked"), severity=Severity.WARNING)
    missing = table.missing(needed)
    if not missing:
        return None
    wanted = _wanted(program, search, checker)
    return _at(file, missing_rows(file.written, table, missing, len(needed), wanted), "lacks rows")


def _wanted(program: Program, search: Search, checker: Checker) -> Wanted:
    """The space as a command would have to name it to get the network that the search is about."""
    from archdsl.cost.diagnostics import Wanted

    given = dict(search.parameters if program.name == search.space else ())
    given |= {name: value for name, value in checker.overrides.items() if name not in search.own}
    return Wanted.of(
        program.name,
        f"{_file_of(program, checker.unit)}:{program.name}",
        given,
        program.image.shape if checker.size else None,
    )


def _file_of(program: Program, unit: Unit) -> str:
    """Where the space stands."""
    units = (unit, *unit.used, *unit.aliases.values())
    path = next((each.path for each in units if isinstance(each.items.get(program.name), ast.Space)), unit.path)
    return str(_from_here(path)) if path else "-"


def _from_here(path: Path) -> Path:
    """As a command that is run here would name it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _at(file: TableFile, diagnostic: Diagnostic, label: str) -> Diagnostic:
    return replace(diagnostic, primary=file.span and Label(file.span, label), file="")
