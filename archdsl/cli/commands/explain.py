"""`archdsl explain`."""

from __future__ import annotations

from difflib import get_close_matches

import click

from archdsl.cli.exits import Exit
from archdsl.cli.output import note, say, say_json, table
from archdsl.diagnostics.pages import page, titles


@click.command("explain")
@click.argument("code", required=False)
@click.option("--list", "list_all", is_flag=True, help="List all codes with their titles.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(code: str | None, list_all: bool, form: str) -> int:
    """Say what CODE means, with a bad and a good example."""
    known = titles()
    if list_all or code is None:
        if form == "json":
            say_json({"codes": known})
        else:
            say(table(list(known.items()), indent=""))
        return Exit.FINE
    text = page(code.upper())
    if text is None:
        near = get_close_matches(code.upper(), list(known), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        note(f"error: there is no code `{code}`; {hint}`archdsl explain --list` shows all")
        return Exit.USAGE
    if form == "json":
        say_json({"code": code.upper(), "title": known[code.upper()], "page": text})
    else:
        say(text)
    return Exit.FINE
