"""`archdsl check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import check_channels
from archdsl.cli.options import diagnostics_format, input_size, overrides
from archdsl.cli.output import note, plural, say_diagnostics
from archdsl.cli.texts import arch_files
from archdsl.diagnostics import Diagnostic, Severity
from archdsl.ops import Shape
from archdsl.pipeline import NotLoaded, check
from archdsl.session import Checked
from archdsl.syntax.codes import UNREADABLE

if TYPE_CHECKING:
    from archdsl.diagnostics import Style

_LISTED = 4
"""The largest number of items that the summary names."""


@click.command("check")
@click.argument("paths", nargs=-1)
@diagnostics_format
@click.option("--deny", type=click.Choice(["warnings"]), help="Take warnings as errors.")
@overrides
@input_size
def command(
    paths: tuple[str, ...],
    form: str,
    deny: str | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
) -> int:
    """Check texts: syntax, names, shapes for every choice, questions, answers.

    PATHS are files, folders, `-` for standard input, or FILE:NAME for one item; without PATHS the folder here. Needs
    neither torch nor a network.
    """
    style = _STYLES[form]
    checked = [_check(path, dict(overrides), shape) for path in arch_files(paths)]
    found = list(dict.fromkeys(diagnostic for each in checked for diagnostic in each.diagnostics))
    say_diagnostics(found, style)
    if style == "full":
        note(_summary(checked, found))
    if any(each.code == UNREADABLE for each in found):
        return Exit.USAGE
    return Exit.FINDINGS if (deny and found) or any(each.severity is Severity.ERROR for each in found) else Exit.FINE


_STYLES: dict[str, Style] = {
    "text": "full",
    "full": "full",
    "concise": "concise",
    "json": "json",
    "github": "github",
    "sarif": "sarif",
}


def _check(path: str, overrides: dict[str, str], shape: Shape | None) -> Checked | NotLoaded:
    try:
        found = check(path, overrides=overrides, size=shape and shape.size)
    except NotLoaded as unreadable:
        return unreadable
    for meaning in found.meanings:
        check_channels(meaning.program, shape)
    return found


def _summary(checked: Sequence[Checked | NotLoaded], found: Sequence[Diagnostic]) -> str:
    if not found:
        what = [item for each in checked if isinstance(each, Checked) for item in _items(each)]
        listed = ", ".join(what) if 0 < len(what) <= _LISTED else plural(len(what), "item")
        return f"{plural(len(checked), 'file')}: {listed}, nothing wrong"
    counts = Counter(each.severity for each in found)
    total = " and ".join(plural(counts[severity], str(severity)) for severity in Severity if counts[severity])
    return f"{total}{_more(found)}"


def _more(found: Sequence[Diagnostic]) -> str:
    from archdsl.diagnostics.pages import page

    code = next((each.code for each in found if page(each.code) is not None), None)
    return f"; `archdsl explain {code}` says more" if code else ""


def _items(checked: Checked) -> list[str]:
    meanings = [f"{type(meaning.item).__name__.lower()} `{meaning.name}`" for meaning in checked.meanings]
    return meanings + [f"{type(recipe).__name__.lower()} `{recipe.name}`" for recipe in checked.recipes]
