"""`archdsl view`."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli.cost_options import cost_table
from archdsl.cli.exits import Exit
from archdsl.cli.output import note, say
from archdsl.extras import require_for


@click.command("view")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Of this machine; 0 is any free one."
)
@cost_table
def command(folder: Path, port: int, cost: Path | None) -> int:
    """Show the page of a run in a browser, and show it anew as the run goes on.

    The page is that of `report`, served on 127.0.0.1 to this machine alone, until Ctrl-C. Where files of the run cannot
    be read the last page stays.
    """
    from archdsl.report.live import Live, Server

    require_for("view")
    server = Server(Live(folder, cost, note), port)
    say(server.url)
    server.run()
    return Exit.FINE
