"""`archdsl cost`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.commands.cost_fill import command as fill
from archdsl.cli.commands.cost_sensitivity import command as sensitivity
from archdsl.cli.commands.cost_tables import diff, merge
from archdsl.cli.cost_options import ROW_HEAD, conditions, row_cells, row_data, rows_listed, union_of_rows
from archdsl.cli.exits import Exit
from archdsl.cli.groups import Group
from archdsl.cli.loading import errors_shown, load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import note, plural, say, say_bytes, say_json, table
from archdsl.extras import require_for
from archdsl.files import write_atomic

if TYPE_CHECKING:
    from archdsl.cost.rows import Row


@click.group("cost", cls=Group, no_args_is_help=False)
def command() -> None:
    """Cost tables: the latency of each op on one device, in one runtime.

    TABLE is a JSON file with a row for each op and the maps that it reads and gives.
    """


for _each in (fill, merge, diff, sensitivity):
    command.add_command(_each)

_TABLE = click.argument("file", type=click.Path(path_type=Path), metavar="TABLE")


@command.command("show")
@_TABLE
@text_or_json
def show(file: Path, form: str) -> int:
    """Show where a table was measured, and its rows.

    `--format json` is the table in canonical form.
    """
    from archdsl.cost.tables import ordered, read_table, table_bytes

    found = read_table(file)
    if form == "json":
        say_bytes(table_bytes(found))
        return Exit.FINE
    waiting = len(found.missing(found.times))
    more = f", {waiting:,} of them still to be measured" if waiting else ""
    say(f"{file}: {plural(len(found.times), 'row')}{more}\n{conditions(found)}\n")
    rows = [(str(found.unit), "MiB", *ROW_HEAD)]
    rows += [
        (_time(found.times[row]), _mebibytes(found.memory.get(row)), *row_cells(row)) for row in ordered(found.times)
    ]
    if not found.memory:
        rows = [(time, *others) for time, _, *others in rows]
    say(table(rows, right=(0, 1) if found.memory else (0,)))
    return Exit.FINE


@command.command("check")
@_TABLE
@click.argument("targets", metavar="FILE...", nargs=-1, required=True)
@text_or_json
@overrides
@input_size
def check(
    file: Path,
    targets: tuple[str, ...],
    form: str,
    overrides: tuple[tuple[str, str], ...],
    size: tuple[int, int] | None,
) -> int:
    """Check a table against networks and spaces.

    Lists the rows that are missing and those that are unused. A space needs the rows of all its genotypes. Exit 1 where
    rows are missing.
    """
    from archdsl.cost.tables import ordered, read_table

    found = read_table(file)
    wanted = _wanted(targets, overrides, size, form)
    missing, unused = ordered(found.missing(wanted)), ordered(found.unused(wanted))
    if form == "json":
        say_json(
            {"needed": len(wanted), "missing": list(map(row_data, missing)), "unused": list(map(row_data, unused))}
        )
        return Exit.FINDINGS if missing else Exit.FINE
    for title, rows in (("missing", missing), ("unused", unused)):
        if rows:
            say(table([(title, *ROW_HEAD), *(("", *row_cells(row)) for row in rows)]))
    note(f"{plural(len(wanted), 'row')} needed, {len(missing):,} missing, {len(unused):,} unused")
    return Exit.FINDINGS if missing else Exit.FINE


@command.command("rows")
@click.argument("targets", metavar="FILE...", nargs=-1, required=True)
@text_or_json
@overrides
@input_size
def rows(
    targets: tuple[str, ...], form: str, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None
) -> int:
    """List the rows to measure.

    Those that networks need, or spaces whatever is answered. A row is an op as a whole with the maps that it reads, or
    a primitive that stands in no op. `--format json` is a table in which every time is still to be filled in.
    """
    from archdsl.cost.tables import empty, ordered, table_bytes

    wanted = _wanted(targets, overrides, size, form)
    if form == "json":
        say_bytes(table_bytes(empty(wanted)))
        return Exit.FINE
    say(table([ROW_HEAD, *map(row_cells, ordered(wanted))]))
    note(plural(len(wanted), "row"))
    return Exit.FINE


@command.command("fit")
@click.argument("target", metavar="SPACE")
@click.option(
    "--measured",
    required=True,
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Measured networks: columns `genotype` (FILE[:NAME], as seen from CSV) and `ms` (or `ns`, `us`, `s`).",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="TABLE", help="Where to; without it, to stdout.")
@overrides
@input_size
def fit(
    target: str,
    measured: Path,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    size: tuple[int, int] | None,
) -> int:
    """Fit a table to 10 to 30 networks of SPACE that were measured as a whole.

    The table has every row of the space. Its head has the mean error and the rank correlation of networks by the others
    (cross-validation).
    """
    require_for("cost fit")
    from archdsl.api import Refused
    from archdsl.cost.tables import table_bytes
    from archdsl.pipeline.cost_fit import BadMeasurements, fitted_table, read_measured

    space = load_or_leave(target, overrides, size)
    try:
        with errors_shown("text"), rows_listed(space.name, "text"):
            unit, networks = read_measured(measured, space, size)
            found = fitted_table(space, unit, networks, measured.name)
    except BadMeasurements as error:
        raise Refused(str(error)) from error
    if out is None:
        say_bytes(table_bytes(found.table))
    else:
        write_atomic(out, table_bytes(found.table))
    note(f"{out or target}: {plural(len(found.table.times), 'row')}, {conditions(found.table)}")
    if found.unmeasured:
        unmeasured = plural(len(found.unmeasured), "row")
        note(f"{unmeasured} stand in no measured network and are priced as others of their kind")
    return Exit.FINE


def _time(time: float | None) -> str:
    return "-" if time is None else f"{time:,.3f}"


def _wanted(
    targets: Sequence[str], overrides: Sequence[tuple[str, str]], size: tuple[int, int] | None, form: str
) -> Sequence[Row]:
    """The union of the rows that the items need."""
    return union_of_rows([load_or_leave(target, overrides, size, form=form) for target in targets], form=form)


def _mebibytes(memory: int | None) -> str:
    return "-" if memory is None else f"{memory / 2**20:,.2f}"
