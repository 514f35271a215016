"""`archdsl fmt`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.output import diagnostics_text, note, plural, say
from archdsl.cli.texts import arch_files
from archdsl.diagnostics import Diagnostic
from archdsl.fmt import Formatted, format_source
from archdsl.syntax import decode, read


@click.command("fmt")
@click.argument("paths", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where something is not canonical.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--stdin-filename", default="<stdin>", help="The name that messages give to standard input.")
def command(paths: tuple[str, ...], only_check: bool, show_diff: bool, stdin_filename: str) -> int:
    """Bring texts into their one canonical form. A text with syntax mistakes is left as it is.

    PATHS are files, folders, or `-` for standard input, which is written to standard output.
    """
    codes = [_one(path, only_check, show_diff, stdin_filename) for path in arch_files(paths)]
    changed = sum(code == _CHANGED for code, _ in codes)
    if only_check and changed:
        note(f"{plural(changed, 'file')} of {len(codes)} not canonical; `archdsl fmt` mends that")
    elif not show_diff and paths != ("-",):
        note(f"{plural(changed, 'file')} of {len(codes)} changed")
    findings = any(code == _BROKEN for code, _ in codes) or (changed and (only_check or show_diff))
    if any(unreadable for _, unreadable in codes):
        return Exit.USAGE
    return Exit.FINDINGS if findings else Exit.FINE


_SAME, _CHANGED, _BROKEN = range(3)


def _one(path: str, only_check: bool, show_diff: bool, stdin_filename: str) -> tuple[int, bool]:
    """What became of one file, and whether it could not be read."""
    source = decode(stdin_filename, sys.stdin.buffer.read()) if path == "-" else read(path)
    if isinstance(source, Diagnostic):
        _show([source])
        return _BROKEN, source.code == "E0001"
    formatted = format_source(source)
    if formatted.diagnostics:
        _show(formatted.diagnostics)
        if path == "-" and not only_check and not show_diff:
            say(source.text)
        return _BROKEN, False
    if show_diff:
        say(_diff(formatted)) if formatted.changed else None
    elif only_check:
        if formatted.changed:
            say(f"{source.name} is not canonical")
    elif path == "-":
        click.echo(formatted.text, nl=False)
    elif formatted.changed:
        _write(Path(path), formatted.text)
    return (_CHANGED if formatted.changed else _SAME), False


def _write(path: Path, text: str) -> None:
    """Beside it first, then renamed: an interrupted run leaves the old text."""
    beside = path.with_name(f".{path.name}.formatted")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.chmod(path.stat().st_mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _show(diagnostics: Sequence[Diagnostic]) -> None:
    click.echo(diagnostics_text(diagnostics, "full", sys.stderr), err=True, nl=False)


def _diff(formatted: Formatted) -> str:
    name = formatted.source.name
    before, after = formatted.source.text.splitlines(keepends=True), formatted.text.splitlines(keepends=True)
    return "".join(unified_diff(before, after, name, f"{name} (canonical)"))
