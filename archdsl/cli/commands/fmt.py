"""`archdsl fmt`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from archdsl.cli.exits import Exit
from archdsl.cli.formatting import Outcome, Status, format_file, format_input, rest_of_input
from archdsl.cli.options import text_or_json
from archdsl.cli.output import diagnostics_text, note, note_diagnostics, plural, say, say_bytes, say_json
from archdsl.cli.texts import arch_files


@click.command("fmt")
@click.argument("paths", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where something is not canonical.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change; exit 1 if anything.")
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What messages call standard input.")
@text_or_json
def command(paths: tuple[str, ...], only_check: bool, show_diff: bool, stdin_filename: str, form: str) -> int:
    """Format texts in their canonical form. A text with syntax errors is left as it is.

    PATHS are files, folders, or `-` for standard input, which is written to standard output; without PATHS the folder
    here.
    """
    write = not only_check and not show_diff
    outcomes: list[Outcome] = []
    for path in arch_files(paths):
        outcome = format_input(stdin_filename) if path == "-" else format_file(path, write=write)
        outcomes.append(outcome)
        if form == "text":
            _show(outcome, only_check=only_check, show_diff=show_diff)
    if form == "json":
        _show_json(outcomes)
    elif paths != ("-",):
        note(_summary(outcomes, write=write))
    return _code(outcomes, write=write)


def _code(outcomes: Sequence[Outcome], *, write: bool) -> Exit:
    statuses = {outcome.status for outcome in outcomes}
    if Status.UNREADABLE in statuses or Status.UNWRITABLE in statuses:
        return Exit.USAGE
    broken = Status.BROKEN in statuses or (not write and Status.NOT_CANONICAL in statuses)
    return Exit.FINDINGS if broken else Exit.FINE


def _show(outcome: Outcome, *, only_check: bool, show_diff: bool) -> None:
    if outcome.diagnostics:
        note_diagnostics(outcome.diagnostics)
    if outcome.refusal:
        note(f"error: {outcome.refusal}")
    if show_diff:
        say_bytes(outcome.diff.encode())
    elif only_check:
        if outcome.status is Status.NOT_CANONICAL:
            say(f"{outcome.file} is not canonical")
    elif outcome.result is not None:
        say_bytes(outcome.result)
        for piece in rest_of_input(outcome):
            say_bytes(piece)


def _summary(outcomes: Sequence[Outcome], *, write: bool) -> str:
    number = {status: sum(outcome.status is status for outcome in outcomes) for status in Status}
    changed = number[Status.FORMATTED] if write else number[Status.NOT_CANONICAL]
    parts = [
        (changed, "formatted" if write else "not canonical; `archdsl fmt` mends that"),
        (number[Status.CANONICAL], "canonical already" if write and changed else "canonical"),
        (number[Status.BROKEN], "left as it is, with mistakes in it"),
        (number[Status.UNREADABLE], "not read"),
        (number[Status.UNWRITABLE], "not written"),
    ]
    return ", ".join(f"{plural(count, 'file')} {what}" for count, what in parts if count)


def _show_json(outcomes: Sequence[Outcome]) -> None:
    import json

    text = diagnostics_text([each for outcome in outcomes for each in outcome.diagnostics], "json", sys.stdout)
    files = [
        {
            "file": outcome.file,
            "status": str(outcome.status),
            "diff": outcome.diff or None,
            "text": None if outcome.result is None else outcome.result.decode(errors="replace"),
            "refusal": outcome.refusal or None,
        }
        for outcome in outcomes
    ]
    say_json({"files": files, "diagnostics": json.loads(text)["diagnostics"]})
