"""`archdsl diff`."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import overrides
from archdsl.cli.output import note, say, say_json


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json", "svg"]), default="text", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the result to a file.")
@click.option("--all", "show_all", is_flag=True, help="List also what is unchanged.")
@click.option("--exit-code", is_flag=True, help="Exit 1 where something differs.")
@overrides
def command(
    before: str,
    after: str,
    form: str,
    out: Path | None,
    show_all: bool,
    exit_code: bool,
    overrides: tuple[tuple[str, str], ...],
) -> int:
    """Compare two spaces or genotypes, with what each change costs in params and MACs.

    A and B are files, FILE:NAME, or `git:REVISION:FILE`. Layout, comments and the order of commutative inputs do not
    count.
    """
    from archdsl.diff import as_data, as_text
    from archdsl.export.files import write_atomic
    from archdsl.pipeline.compare import compare

    kind = "json" if form == "json" else "text"
    found = compare(*(load_or_leave(each, overrides, form=kind) for each in (before, after)))
    if form == "svg":
        from archdsl.render import difference_picture, render

        data = render(difference_picture(found), "svg")
        if out is None:
            click.echo(data, nl=False)
        else:
            write_atomic(out, data)
            note(f"{out}")
    elif form == "json":
        say_json(as_data(found, show_all=show_all))
    elif not found:
        note("nothing differs")
    else:
        say(as_text(found, show_all=show_all))
    return Exit.FINDINGS if exit_code and found else Exit.FINE
