"""`archdsl explain`."""

from __future__ import annotations

import click

from archdsl.cli.exits import Exit
from archdsl.cli.options import text_or_json
from archdsl.cli.output import say, say_json, table
from archdsl.diagnostics.pages import page, titles


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE]")
@click.option("--list", "list_all", is_flag=True, help="List all codes with their titles.")
@text_or_json
def command(code: str | None, list_all: bool, form: str) -> int:
    """Explain a diagnostic CODE, with a bad and a good example. Without CODE, list all codes."""
    known = titles()
    if list_all or code is None:
        if form == "json":
            say_json({"codes": known})
        else:
            say(table(list(known.items()), indent=""))
        return Exit.FINE
    code = code.upper()
    text = page(code)
    if text is None:
        raise click.ClickException(_unknown(code, list(known)))
    if form == "json":
        say_json({"code": code, "title": known[code], "page": text})
    else:
        say(text)
    return Exit.FINE


def _unknown(code: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(code, known, 1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"there is no code `{code}`; {hint}`archdsl explain --list` shows all"
