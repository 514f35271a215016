"""`archdsl check`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import UNREADABLE
from archdsl.cli.options import diagnostics_format, input_size, overrides
from archdsl.cli.output import diagnostics_text, note, plural, say
from archdsl.cli.texts import arch_files
from archdsl.diagnostics import Diagnostic, Severity
from archdsl.pipeline import Checked, check

if TYPE_CHECKING:
    from archdsl.diagnostics import Style


@click.command("check")
@click.argument("paths", nargs=-1)
@diagnostics_format
@click.option("--deny", type=click.Choice(["warnings"]), help="Take warnings as errors.")
@overrides
@input_size
def command(
    paths: tuple[str, ...],
    form: Style,
    deny: str | None,
    overrides: tuple[tuple[str, str], ...],
    size: tuple[int, int] | None,
) -> int:
    """Find what is wrong in texts: syntax, names, shapes through every choice, questions, answers.

    PATHS are files, folders, or `-`. Needs neither torch nor a network.
    """
    found: list[Diagnostic] = []
    checked = [check(path, overrides=dict(overrides), size=size) for path in arch_files(paths)]
    for each in checked:
        found += [diagnostic for diagnostic in each.diagnostics if diagnostic not in found]
    errors = sum(each.severity is Severity.ERROR for each in found)
    text = diagnostics_text(found, form, sys.stdout)
    if text:
        say(text)
    if form == "full":
        _summary(checked, errors, len(found) - errors)
    if any(each.code == UNREADABLE for each in found):
        return Exit.USAGE
    return Exit.FINDINGS if errors or (deny and found) else Exit.FINE


def _summary(checked: list[Checked], errors: int, warnings: int) -> None:
    if not errors and not warnings:
        what = [f"{kind} `{name}`" for each in checked for kind, name in _items(each)]
        listed = ", ".join(what) if 0 < len(what) <= 4 else plural(len(what), "item")
        note(f"{plural(len(checked), 'file')}: {listed}, nothing wrong")
        return
    parts = [plural(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    note(" and ".join(parts))


def _items(checked: Checked) -> list[tuple[str, str]]:
    return [(type(meaning.item).__name__.lower(), meaning.name) for meaning in checked.meanings]
