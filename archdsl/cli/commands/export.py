"""`archdsl export`."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import NewFile, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.text import visible_line


@click.command("export")
@click.argument("kind", metavar="KIND", type=click.Choice(["darts", "nasbench201"]))
@click.argument("target", metavar="FILE")
@click.option("-o", "--out", type=NewFile(), metavar="OUT", help="Where to; without it, to stdout.")
@overrides
@text_or_json
def command(kind: str, target: str, out: Path | None, overrides: tuple[tuple[str, str], ...], form: str) -> int:
    """Write a genotype as other programs do: `darts` as a tuple of Python, `nasbench201` as an architecture string.

    The names of cells, nodes and ops are those of the packaged spaces `darts` and `nasbench201`; a genotype that says
    more or less than the format can is refused.
    """
    from archdsl.exchange import exported
    from archdsl.staging import write_atomic

    loaded = load_or_leave(target, overrides, form=form)
    text = exported(kind, loaded)
    if out is not None:
        write_atomic(out, f"{text}\n".encode())
    if form == "json":
        say_json({"kind": kind, "name": loaded.name, "text": text})
    elif out is None:
        say(text)
    else:
        note(visible_line(str(out)))
    return Exit.FINE
