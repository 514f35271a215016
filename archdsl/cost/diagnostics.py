"""Diagnostics of cost tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.cost import codes
from archdsl.cost.rows import Row
from archdsl.cost.tables import Table, TableUnreadable
from archdsl.cost.variants import TooManyRows
from archdsl.diagnostics import Diagnostic
from archdsl.ops import Shape
from archdsl.ops.bind import show
from archdsl.sema.codes import NO_TABLE

_LISTED = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What needs rows: its name, and how a command line names it."""

    name: str
    target: str
    """`net.arch:net --set c=16`."""

    @classmethod
    def of(cls, name: str, target: str, given: Mapping[str, object], image: Shape | None) -> Wanted:
        options = "".join(f" --set {each}={_spelled(value)}" for each, value in given.items())
        return cls(name, f"{target}{options}{f' --input 1x{image}' if image else ''}")


def _spelled(value: object) -> str:
    """As `--set` takes it."""
    return value if isinstance(value, str) else show(value).replace(" ", "")


def missing_rows(file: str, table: Table, rows: Sequence[Row], needed: int, by: Wanted) -> Diagnostic:
    """`rows`, of as many as are `needed`, have no time in the table of a file."""
    alone = len(rows) == 1
    what = str(rows[0]) if alone else f"{len(rows):,} of the {needed:,} ops that `{by.name}` needs"
    notes = [f"it is made of `{rows[0].body}`"] if alone else [f"{row}\n{row.body}" for row in rows[:_LISTED]]
    if len(rows) > _LISTED:
        notes.append(
            f"and {len(rows) - _LISTED:,} more, which `archdsl cost check {table.path or file} {by.target}` lists"
        )
    if unmeasured := sum(row in table.times for row in rows):
        notes.append(f"{'it stands' if alone else f'{unmeasured:,} of them stand'} there without a time")
    return Diagnostic(
        codes.MISSING_ROW,
        f"cost table `{file}` has no row for {what}",
        None,
        notes=tuple(notes),
        help=f"measure what is missing: `archdsl cost fill {by.target} --runtime RUNTIME -o {table.path or file}`",
        file=file,
    )


def unlisted_rows(found: TooManyRows, name: str) -> Diagnostic:
    return Diagnostic(
        codes.TOO_MANY_ROWS,
        str(found),
        None,
        notes=(f"so the rows that `{name}` can need are not known",),
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
