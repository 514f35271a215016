"""`archdsl diff`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.cost_options import cost_table, interpolate, interpolated_text, priced_or_leave, row_data
from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import overrides
from archdsl.cli.output import deliver, note
from archdsl.text import visible_json, visible_line

if TYPE_CHECKING:
    from archdsl.cost.rows import Row
    from archdsl.cost.tables import Table
    from archdsl.diff import Difference
    from archdsl.pipeline import Loaded


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json", "svg", "html"]), default="text", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the result to a file.")
@click.option("--all", "show_all", is_flag=True, help="List also what is unchanged.")
@click.option("--exit-code", is_flag=True, help="Exit 1 where something differs.")
@cost_table
@interpolate
@overrides
def command(
    before: str,
    after: str,
    form: str,
    out: Path | None,
    show_all: bool,
    exit_code: bool,
    cost: Path | None,
    interpolate: bool,
    overrides: tuple[tuple[str, str], ...],
) -> int:
    """Compare two spaces or genotypes, with what each change costs in params and MACs, with `--cost` also in time.

    With `--interpolate` the rows that were not measured are listed behind the changes.
    A and B are files, FILE:NAME, or `git:REVISION:FILE`. Layout, comments and the order of commutative inputs do not
    count. `html` is one page with the picture and the list.
    """
    from archdsl.pipeline.compare import compare

    kind = "json" if form == "json" else "text"
    one, other = (load_or_leave(each, overrides, form=kind) for each in (before, after))
    networks = {before: one, after: other}
    table = None if cost is None else priced_or_leave(cost, networks, form=kind, interpolate=interpolate)
    found = compare(one, other, table)
    if form == "text" and not found:
        note("nothing differs")
    between = () if table is None else _between(table, networks.values())
    data = _written(found, between, form, show_all=show_all)
    if deliver(data, out):
        note(visible_line(str(out)))
    return Exit.FINDINGS if exit_code and found else Exit.FINE


def _between(table: Table, networks: Iterable[Loaded]) -> Sequence[Row]:
    """The rows of some networks that were not measured."""
    from archdsl.cost.rows import rows_of

    needed = (row for loaded in networks for row in rows_of(loaded.network(), table.passes))
    return tuple(dict.fromkeys(row for row in needed if row in table.interpolated))


def _written(found: Difference, between: Sequence[Row], form: str, *, show_all: bool) -> bytes:
    from archdsl.diff import as_data, as_text

    match form:
        case "json":
            data = {"format_version": 1, **as_data(found, show_all=show_all)}
            if between:
                data["interpolated"] = [row_data(row) for row in between]
            return f"{visible_json(json.dumps(data, indent=2, ensure_ascii=False))}\n".encode()
        case "svg":
            return _picture(found)
        case "html":
            return _page(found, interpolated_text(between, "latency"), show_all=show_all)
        case _:
            text = as_text(found, show_all=show_all).rstrip("\n")
            return f"{text}\n{interpolated_text(between, 'latency', '  ')}".encode() if found else b""


def _picture(found: Difference) -> bytes:
    from archdsl.render import difference_picture, render

    return render(difference_picture(found), "svg")


def _page(found: Difference, between: str, *, show_all: bool) -> bytes:
    from archdsl.report.diff_page import diff_page
    from archdsl.report.page import page_html

    return page_html(diff_page(found, show_all=show_all, about_table=between)).encode()
