"""`archdsl report`."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli.cost_options import cost_table
from archdsl.cli.exits import Exit
from archdsl.cli.output import deliver, note
from archdsl.extras import require_for
from archdsl.text import visible_line


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.html|-",
    help="Where to; `-` writes to standard output.",
)
@cost_table
def command(folder: Path, out: Path, cost: Path | None) -> int:
    """Write one page about a search, a training or a sweep.

    RUN is its folder, also while it goes on (`view` shows that live). The page is one HTML file that needs no network:
    curves, how sure the search is, its cells or its grid as a film over the steps, the networks that were found with
    their costs by cell, and what changed from one to the next.
    """
    from archdsl.report.report import report

    require_for("report")
    page = report(folder, cost=cost)
    if deliver(page.encode(), out):
        note(visible_line(str(out)))
    return Exit.FINE
