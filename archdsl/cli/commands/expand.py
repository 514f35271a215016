"""`archdsl expand`."""

from __future__ import annotations

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import say_bytes, say_json
from archdsl.ops import Shape


@click.command("expand")
@click.argument("target", metavar="FILE")
@overrides
@input_size
@text_or_json
def command(target: str, overrides: tuple[tuple[str, str], ...], shape: Shape | None, form: str) -> int:
    """Write the network of FILE as explicit statements, without its space. The text is itself an `.arch` text."""
    from archdsl import api
    from archdsl.pipeline.expand import expand

    loaded = load_or_leave(target, overrides, shape, form=form)
    about = f"{loaded.name}, expanded; {loaded.program.name} {loaded.program.hash[:23]}"
    text = expand(api.closed_graph(loaded), about)
    if form == "json":
        say_json({"name": loaded.name, "text": text})
    else:
        say_bytes(text.encode())
    return Exit.FINE
