"""`archdsl cost merge` and `archdsl cost diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import ROW_HEAD, conditions, milliseconds, row_cells, row_data
from archdsl.cli.exits import Exit
from archdsl.cli.options import F, text_or_json
from archdsl.cli.output import deliver, note, plural, say, say_json, table

if TYPE_CHECKING:
    from archdsl.cost.table_diff import TableDifference


def _mixed(command: F) -> F:
    return click.option("--mixed", is_flag=True, help="Also tables of different devices, runtimes or versions.")(
        command
    )


@click.command("merge")
@click.argument("files", type=click.Path(path_type=Path), metavar="TABLE...", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="TABLE", help="Where to write it.")
@_mixed
def merge(files: tuple[Path, ...], out: Path, mixed: bool) -> int:
    """Put the rows of several tables into one.

    A row that several have is that of the first which has a time for it. The factor is the mean of theirs, weighed by
    networks; its error is a bound.
    """
    from archdsl.cost.merge import merge
    from archdsl.cost.tables import read_table, table_bytes

    found = merge([read_table(file) for file in files], mixed=mixed)
    deliver(table_bytes(found), out)
    note(f"{out}: {plural(len(found.times), 'row')} {conditions(found)}")
    return Exit.FINE


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path), metavar="A")
@click.argument("after", type=click.Path(path_type=Path), metavar="B")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.1,
    show_default=True,
    help="Times that differ by less than this share are equal.",
)
@click.option("--all", "show_all", is_flag=True, help="List also rows whose times are equal.")
@click.option("--exit-code", is_flag=True, help="Exit 1 where something differs.")
@_mixed
@text_or_json
def diff(before: Path, after: Path, tolerance: float, show_all: bool, exit_code: bool, mixed: bool, form: str) -> int:
    """Compare two tables row by row.

    Ratios are B over A, of rows as they were measured, without the factors of the tables.
    """
    from archdsl.cost.table_diff import table_difference
    from archdsl.cost.tables import read_table

    found = table_difference(read_table(before), read_table(after), tolerance=tolerance, mixed=mixed)
    if form == "json":
        say_json(_object(found, show_all=show_all))
    else:
        say(_text(before, after, found, show_all=show_all))
    return Exit.FINDINGS if exit_code and found else Exit.FINE


def _text(before: Path, after: Path, found: TableDifference, *, show_all: bool) -> str:
    middle = "" if found.median is None else f", median ratio {found.median:.3f}"
    factors = f"factor {found.before.factor:g} -> {found.after.factor:g}"
    changed = f"{len(found.changed):,} differ by more than {100 * found.tolerance:g} %"
    parts = [f"{before} -> {after}: {plural(len(found.both), 'row')} in both{middle}, {changed}; {factors}\n"]
    if found.both:
        ops = [("op", "rows", "median ratio")]
        ops += [(op, f"{count:,}", f"{ratio:.3f}") for op, count, ratio in found.by_op()]
        parts.append(table(ops, right=(1, 2)))
    if shown := found.both if show_all else found.changed:
        unit = found.before.unit
        rows = [("ratio", f"A, {unit}", f"B, {unit}", *ROW_HEAD)]
        rows += [
            (
                f"{each.ratio:.3f}",
                _time(each.before_s / unit.seconds),
                _time(each.after_s / unit.seconds),
                *row_cells(each.row),
            )
            for each in shown
        ]
        parts.append(table(rows, right=(0, 1, 2)))
    for file, only in ((before, found.only_before), (after, found.only_after)):
        if only:
            parts.append(table([(f"only in {file}", *ROW_HEAD), *(("", *row_cells(row)) for row in only)]))
    return "\n".join(parts)


def _time(time: float) -> str:
    return f"{time:,.3f}"


def _object(found: TableDifference, *, show_all: bool) -> dict[str, Any]:
    return {
        "median_ratio": found.median,
        "factors": [found.before.factor, found.after.factor],
        "ops": [{"op": op, "rows": count, "median_ratio": ratio} for op, count, ratio in found.by_op()],
        "rows": [
            {
                **row_data(each.row),
                "before_ms": milliseconds(each.before_s),
                "after_ms": milliseconds(each.after_s),
                "ratio": each.ratio,
            }
            for each in (found.both if show_all else found.changed)
        ],
        "only_before": [row_data(row) for row in found.only_before],
        "only_after": [row_data(row) for row in found.only_after],
    }
