"""What is wrong with a cost table, for people."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.cost import codes
from archdsl.cost.rows import Row
from archdsl.cost.tables import Table, TableUnreadable
from archdsl.cost.variants import TooManyRows
from archdsl.diagnostics import Diagnostic
from archdsl.sema.codes import NO_TABLE

_LISTED = 3


def missing_rows(name: str, table: Table, rows: Sequence[Row], wanted: int, target: str) -> Diagnostic:
    """`rows`, of the `wanted` ones that `target` needs, have no time in the table of that name."""
    what = str(rows[0]) if len(rows) == 1 else f"{len(rows):,} of the {wanted:,} that `{target}` needs"
    notes = [f"missing: {row}\n{row.body}" for row in rows[:_LISTED]]
    if len(rows) > _LISTED:
        notes.append(f"and {len(rows) - _LISTED:,} more, which `archdsl cost check {name} {target}` lists")
    if waiting := sum(row in table.times for row in rows):
        notes.append(f"{waiting:,} stand in the table and are still to be measured")
    return Diagnostic(
        codes.MISSING_ROW,
        f"cost table `{name}` has no row for {what}",
        None,
        notes=tuple(notes),
        help=f"measure what is missing: `archdsl cost rows {target} --format json` is a table with all rows to fill in",
        file=name,
    )


def unlisted_rows(found: TooManyRows, target: str) -> Diagnostic:
    return Diagnostic(
        codes.TOO_MANY_ROWS,
        str(found),
        None,
        notes=(f"so the rows that `{target}` can need are not known",),
        help="take apart what is asked there: an op has a row for each of its widths",
    )


def unreadable_table(written: str, found: TableUnreadable | OSError) -> Diagnostic:
    what = found.what if isinstance(found, TableUnreadable) else (found.strerror or str(found)).lower()
    return Diagnostic(
        NO_TABLE,
        f"`{written}` is no cost table: {what}",
        None,
        help="`archdsl cost rows FILE --format json` writes an empty one",
        file=written,
    )
