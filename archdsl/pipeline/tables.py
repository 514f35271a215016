"""Cost tables held against the texts that name them. Where no table was filled yet, nothing is imported or done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.recipe import Cost, Search
from archdsl.recipe.costs import Measured
from archdsl.recipe.objectives import costs_in
from archdsl.sema.check import Checker, Recipe
from archdsl.space import Program

if TYPE_CHECKING:
    from archdsl.cost.tables import Table


@dataclass(slots=True)
class _Named:
    """A table that there is, where the text names it first, and the spaces whose networks it has to price."""

    path: Path
    measured: Measured
    programs: list[Program] = field(default_factory=list[Program])


def check_tables(checker: Checker, recipes: Sequence[Recipe], file: str) -> tuple[Diagnostic, ...]:
    """What is wrong with the tables of a file: those that are none, and those that lack rows which a search needs.

    `recipes` are those in which nothing is wrong; each table is reported once.
    """
    return tuple(each for named in _named(checker, recipes) for each in _check(named, file))


def _named(checker: Checker, recipes: Iterable[Recipe]) -> Iterable[_Named]:
    found: dict[Path, _Named] = {}
    for measured, search, network in _mentions(recipes):
        if measured.path is not None and measured.path.is_file():
            named = found.setdefault(measured.path, _Named(measured.path, measured))
            program = checker.program_of(search, network) if search else None
            if program is not None and not any(program is each for each in named.programs):
                named.programs.append(program)
    return found.values()


def _mentions(recipes: Iterable[Recipe]) -> Iterator[tuple[Measured, str, str]]:
    """Tables with the search and the space that use them; empty for a cost as it is defined."""
    for recipe in recipes:
        if isinstance(recipe, Cost) and recipe.table is not None:
            yield recipe.table, "", ""
        if isinstance(recipe, Search):
            for phase in recipe.phases:
                terms = [term for each in (phase.objective, phase.pick) if each for term in costs_in(each)]
                yield from ((term.cost.table, recipe.name, phase.network) for term in terms if term.cost.table)


def _check(named: _Named, file: str) -> Iterator[Diagnostic]:
    from archdsl.cost.findings import unreadable_table
    from archdsl.cost.tables import TableUnreadable, read_table

    try:
        table = read_table(named.path)
    except (TableUnreadable, OSError) as error:
        yield _at(named.measured, unreadable_table(named.measured.written, error), "read here")
        return
    found = (_lacking(table, program, named.measured, f"{file}:{program.name}") for program in named.programs)
    yield from [each for each in found if each is not None][:1]


def _lacking(table: Table, program: Program, measured: Measured, target: str) -> Diagnostic | None:
    from archdsl.cost.findings import missing_rows, unlisted_rows
    from archdsl.cost.open_rows import rows_of_space
    from archdsl.cost.variants import TooManyRows

    try:
        wanted = rows_of_space(program)
    except TooManyRows as found:
        return replace(_at(measured, unlisted_rows(found, target), "not checked"), severity=Severity.WARNING)
    missing = table.missing(wanted)
    if not missing:
        return None
    return _at(measured, missing_rows(measured.written, table, missing, len(wanted), target), "lacks rows")


def _at(measured: Measured, diagnostic: Diagnostic, label: str) -> Diagnostic:
    return replace(diagnostic, primary=measured.span and Label(measured.span, label), file="")
