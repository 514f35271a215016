"""The option `--cost`: estimates by a cost table, or its missing rows."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import show
from archdsl.cli.options import F
from archdsl.cli.output import plural
from archdsl.diagnostics import Diagnostic
from archdsl.ops import Shape
from archdsl.pipeline import Loaded

if TYPE_CHECKING:
    from archdsl.cost.estimate import Estimate
    from archdsl.cost.rows import Row
    from archdsl.cost.tables import Fit, Measurement, Table
    from archdsl.settings.costs import Unit


def cost_table(command: F) -> F:
    """`--cost TABLE`."""
    return click.option(
        "--cost",
        "cost",
        type=click.Path(path_type=Path),
        metavar="TABLE",
        help="A cost table: also what the network takes, the sum of its rows.",
    )(command)


def interpolate(command: F) -> F:
    """`--interpolate`."""
    return click.option(
        "--interpolate",
        is_flag=True,
        help="Rows that the table lacks are taken from measured channels and sizes around them.",
    )(command)


def priced_or_leave(
    cost: Path,
    networks: Mapping[str, Loaded],
    shape: Shape | None = None,
    *,
    form: str = "text",
    interpolate: bool = False,
) -> Table:
    """A table that has all rows of some networks, which stand under their targets; `interpolate` adds those between.

    Else the rows that it lacks are shown and the command ends with exit code 1. Raises TableUnreadable, OSError.
    """
    from archdsl.cost.diagnostics import Wanted, missing_rows
    from archdsl.cost.interpolate import with_interpolated
    from archdsl.cost.rows import rows_of
    from archdsl.cost.tables import read_table

    for loaded in networks.values():
        if not loaded.closed:
            what = f"`{loaded.name}` still asks questions"
            raise click.UsageError(f"`--cost` prices networks, and {what}; name a genotype that answers them")
    table = read_table(cost)
    lacking: list[Diagnostic] = []
    for target, loaded in networks.items():
        needed = rows_of(loaded.network(), table.passes)
        if interpolate:
            table = with_interpolated(table, needed)
        wanted = Wanted.of(loaded.name, target, loaded.given, shape)
        if missing := table.missing(needed):
            lacking.append(missing_rows(str(cost), table, missing, len(needed), wanted))
    if lacking:
        show(lacking, form)
        raise click.exceptions.Exit(Exit.FINDINGS)
    return table


@contextmanager
def rows_there(cost: Path | None, target: str, loaded: Loaded, shape: Shape | None, form: str) -> Generator[None]:
    """Shows the rows that a table lacks where the body finds so, and ends the command."""
    from archdsl.cost.diagnostics import Wanted, missing_rows
    from archdsl.cost.estimate import MissingRows

    try:
        yield
    except MissingRows as found:
        wanted = Wanted.of(loaded.name, target, loaded.given, shape)
        show((missing_rows(str(cost), found.table, found.rows, found.needed, wanted),), form)
        raise click.exceptions.Exit(Exit.FINDINGS) from None


def rows_or_leave(loaded: Loaded, *, form: str = "text") -> Sequence[Row]:
    """The rows that a network, or any network of a space, needs."""
    from archdsl.cost.rows import rows_of
    from archdsl.cost.space_rows import rows_of_space

    if loaded.closed:
        return rows_of(loaded.network())
    with rows_listed(loaded.name, form):
        return rows_of_space(loaded.program)


@contextmanager
def rows_listed(name: str, form: str) -> Generator[None]:
    """Shows that a space has too many rows to list where the body finds so, and ends the command."""
    from archdsl.cost.diagnostics import unlisted_rows
    from archdsl.cost.variants import TooManyRows

    try:
        yield
    except TooManyRows as found:
        show((unlisted_rows(found, name),), form)
        raise click.exceptions.Exit(Exit.FINDINGS) from None


def union_of_rows(items: Iterable[Loaded], *, form: str = "text") -> Sequence[Row]:
    """The rows that several networks and spaces need, each once."""
    return tuple(dict.fromkeys(row for loaded in items for row in rows_or_leave(loaded, form=form)))


ROW_HEAD = ("op", "reads", "gives", "made of")


def row_cells(row: Row) -> tuple[str, str, str, str]:
    return row.op, ", ".join(row.reads), row.gives, row.body


def row_data(row: Row) -> dict[str, Any]:
    return {"op": row.op, "reads": list(row.reads), "gives": row.gives, "body": row.body}


def about(time: str, interpolated: int) -> str:
    """`~ 6.940` where rows of it were not measured."""
    return f"~ {time}" if interpolated else time


def interpolated_text(rows: Iterable[Row], what: str, indent: str = "") -> str:
    """Which rows `what` has that were not measured; empty where all were."""
    rows = list(dict.fromkeys(rows))
    if not rows:
        return ""
    listed = "".join(f"{indent}  {row}: {row.body}\n" for row in rows)
    return f"{indent}{what} with {plural(len(rows), 'row')} between measured ones:\n{listed}"


def amount(seconds: float, unit: Unit) -> str:
    """`6.940`, in a unit."""
    return f"{seconds / unit.seconds:,.3f}"


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds for JSON, rounded to picoseconds."""
    return round(1e3 * seconds, 9)


def conditions(table: Table) -> str:
    """`on RTX 4090: TensorRT 10.9, fp16, 1 thread; median of wall time, 20 rounds; scaled by 0.97, error 1.7 %`."""
    if table.measured is not None:
        return _measurement(table.measured)
    return "nothing was measured yet" if table.fitted is None else fit_text(table.fitted)


def fit_text(fitted: Fit) -> str:
    """How far a fitted table can be trusted."""
    return (
        f"fitted to {plural(fitted.networks, 'network')} of {fitted.source}: {100 * fitted.error:.1f} % off and rank "
        f"correlation {fitted.rank_correlation:.3f} in cross-validation{_passes(fitted)}"
    )


def _passes(head: Fit | Measurement) -> str:
    constants = ", constants folded" if head.constants == "folded" else ""
    return constants + (", dead code removed" if head.dead_code == "removed" else "")


def _measurement(measured: Measurement) -> str:
    scale = measured.scale
    fitted = (
        f"scaled by {scale.factor:g}, then {100 * scale.error:.1f} % off for {plural(scale.networks, 'network')}"
        if scale
        else "no scale was fitted"
    )
    run = f"{measured.runtime} {measured.version}, {measured.precision}, {plural(measured.threads, 'thread')}"
    if measured.batch_norm is not None:
        run += f", batch norm {measured.batch_norm}"
    run += _passes(measured)
    clock = "CPU" if measured.clock == "cpu" else measured.clock
    return (
        f"on {measured.device}: {run}; {measured.statistic} of {clock} time, "
        f"{plural(measured.rounds, 'round')}; {fitted}"
    )


def as_data(found: Estimate) -> dict[str, Any]:
    measured = found.table.measured
    return {
        "latency_ms": milliseconds(found.seconds),
        "measured": measured and measured.model_dump(mode="json"),
        **({"fitted": found.table.fitted.model_dump(mode="json")} if found.table.fitted else {}),
        "rows": [
            {
                "path": row.use.path,
                "op": row.use.row.op,
                "reads": list(row.use.row.reads),
                "gives": row.use.row.gives,
                "interpolated": row.interpolated,
                "latency_ms": milliseconds(row.seconds),
            }
            for row in found.rows
        ],
    }
