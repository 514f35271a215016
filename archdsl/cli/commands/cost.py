"""`archdsl cost`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from archdsl.cli.options import NewFile, input_size, overrides, text_or_json
from archdsl.cli.output import deliver, note, plural, say, say_bytes, say_json, table
from archdsl.extras import require_for
from archdsl.ops import Shape
from archdsl.staging import write_atomic

if TYPE_CHECKING:
    from archdsl.cost.rows import Row
    from archdsl.cost.tables import Table


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
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="X.svg|png|pdf|dot|json",
    help="Draw what the table predicts against what was measured, and the time by op.",
)
@text_or_json
def show(file: Path, plot: Path | None, form: str) -> int:
    """Show where a table was measured, how far it was off, and its rows.

    The networks are those that were measured as a whole with the rows, on which the factor is fitted. `--format json`
    is the table in canonical form.
    """
    from archdsl.cost.tables import ordered, read_table, table_bytes

    found = read_table(file)
    if plot is not None:
        _plot(file, found, plot)
        return Exit.FINE
    if form == "json":
        say_bytes(table_bytes(found))
        return Exit.FINE
    waiting = len(found.missing(found.times))
    more = f", {waiting:,} of them still to be measured" if waiting else ""
    say(f"{file}: {plural(len(found.times), 'row')}{more}\n{conditions(found)}\n")
    if found.calibration:
        say(f"{_networks(found)}\n{_time_by_op(found)}\n")
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
    shape: Shape | None,
) -> int:
    """Check a table against networks and spaces.

    Lists the rows that are missing and those that are unused. A space needs the rows of all its genotypes. Exit 1 where
    rows are missing.
    """
    from archdsl.cost.tables import ordered, read_table

    found = read_table(file)
    wanted = _wanted(targets, overrides, shape, form)
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
def rows(targets: tuple[str, ...], form: str, overrides: tuple[tuple[str, str], ...], shape: Shape | None) -> int:
    """List the rows to measure.

    Those that networks need, or spaces whatever is answered. A row is an op as a whole with the maps that it reads, or
    a primitive that stands in no op. `--format json` is a table in which every time is still to be filled in.
    """
    from archdsl.cost.tables import empty, ordered, table_bytes

    wanted = _wanted(targets, overrides, shape, form)
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
@click.option("-o", "--out", type=NewFile(), metavar="TABLE", help="Where to; without it, to stdout.")
@overrides
@input_size
def fit(
    target: str,
    measured: Path,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
) -> int:
    """Fit a table to 10 to 30 networks of SPACE that were measured as a whole.

    The table has every row of the space. Its head has the mean error and the rank correlation of networks by the others
    (cross-validation).
    """
    require_for("cost fit")
    from archdsl.api import Refused
    from archdsl.cost.tables import table_bytes
    from archdsl.pipeline.cost_fit import BadMeasurements, fitted_table, read_measured

    space = load_or_leave(target, overrides, shape)
    try:
        with errors_shown("text"), rows_listed(space.name, "text"):
            unit, networks = read_measured(measured, space, shape and shape.size)
            found = fitted_table(space, unit, networks, measured.name)
    except BadMeasurements as error:
        raise Refused(str(error)) from error
    deliver(table_bytes(found.table), out)
    note(f"{out or target}: {plural(len(found.table.times), 'row')}, {conditions(found.table)}")
    if found.unmeasured:
        unmeasured = plural(len(found.unmeasured), "row")
        note(f"{unmeasured} stand in no measured network and are priced as others of their kind")
    return Exit.FINE


def _plot(file: Path, table: Table, out: Path) -> None:
    """Raises Refused where the table keeps no networks."""
    from archdsl.api import Refused, picture_format
    from archdsl.render import Predicted, prediction_picture, render

    form = picture_format(out)
    if not table.calibration:
        raise Refused(
            f"`{file}` keeps no network that was measured as a whole; `archdsl cost fill` measures some with the rows"
        )
    networks = [Predicted(each.network, each.time, table.factor * each.sum) for each in table.calibration]
    about = conditions(table).split("; ")
    write_atomic(out, render(prediction_picture(file.name, about, str(table.unit), networks, _ops(table)), form))
    note(str(out))


def _ops(table: Table) -> Mapping[str, float]:
    """The predicted time of all networks by op, the slowest first."""
    found: dict[str, float] = {}
    for each in table.calibration:
        for op, time in each.ops.items():
            found[op] = found.get(op, 0.0) + table.factor * time
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _networks(found: Table) -> str:
    rows = [("network", f"measured, {found.unit}", f"predicted, {found.unit}", "off by")]
    for each in found.calibration:
        predicted = found.factor * each.sum
        off = f"{100 * (predicted / each.time - 1):+.1f} %"
        rows.append((each.network, _time(each.time), _time(predicted), off))
    return table(rows, right=(1, 2, 3))


def _time_by_op(found: Table) -> str:
    ops, networks = _ops(found), len(found.calibration)
    total = sum(ops.values())
    rows = [("op", f"{found.unit} a network", "share")]
    rows += [(op, _time(time / networks), f"{100 * time / total:.1f} %") for op, time in ops.items()]
    return table(rows, right=(1, 2))


def _time(time: float | None) -> str:
    return "-" if time is None else f"{time:,.3f}"


def _wanted(
    targets: Sequence[str], overrides: Sequence[tuple[str, str]], shape: Shape | None, form: str
) -> Sequence[Row]:
    """The union of the rows that the items need."""
    return union_of_rows([load_or_leave(target, overrides, shape, form=form) for target in targets], form=form)


def _mebibytes(memory: int | None) -> str:
    return "-" if memory is None else f"{memory / 2**20:,.2f}"
