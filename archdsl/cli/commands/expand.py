"""`archdsl expand`."""

from __future__ import annotations

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides
from archdsl.cli.output import say


@click.command("expand")
@click.argument("target", metavar="FILE")
@overrides
@input_size
def command(target: str, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None) -> int:
    """Write the network of FILE as explicit statements, with no space behind it."""
    from archdsl import api
    from archdsl.pipeline.expand import expand

    loaded = load_or_leave(target, overrides, size)
    about = f"{loaded.name}, expanded; {loaded.program.name} {loaded.program.hash[:23]}"
    say(expand(api.closed_graph(loaded), about))
    return Exit.FINE
