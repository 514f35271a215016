"""Output: results on stdout, notes on stderr, colour on terminals.

All that reaches a screen goes through here, and what cannot be seen of it is spelled (`archdsl/text/visible.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from archdsl.diagnostics import Diagnostic
from archdsl.text import visible, visible_json, visible_line

if TYPE_CHECKING:
    from archdsl.diagnostics import Style


def colour(stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: NO_COLOR, FORCE_COLOR, else a terminal that can."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def diagnostics_text(diagnostics: Sequence[Diagnostic], style: Style, stream: TextIO) -> str:
    """Diagnostics in a style; without any, empty in the styles that no program parses."""
    if not diagnostics and style in ("full", "concise", "github"):
        return ""
    from archdsl import __version__
    from archdsl.diagnostics import show

    return show(diagnostics, style, colour=colour(stream), version=__version__)


def say(text: str) -> None:
    """A result."""
    _write(_ended(visible(text)))


def note(text: str) -> None:
    """Prints a note on stderr."""
    _write(_ended(visible(text)), err=True)


def say_diagnostics(diagnostics: Sequence[Diagnostic], style: Style) -> None:
    """Diagnostics as a result; nothing is printed where `diagnostics_text` is empty."""
    _write(diagnostics_text(diagnostics, style, sys.stdout))


def note_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics with their excerpts on stderr."""
    _write(diagnostics_text(diagnostics, "full", sys.stderr), err=True)


def say_bytes(data: bytes) -> None:
    """A result that is to arrive as it is, whatever the encoding; a terminal gets what can be seen of it."""
    if sys.stdout.isatty():
        _write(visible(data.decode(errors="surrogateescape")))
    else:
        _write(data)


def deliver(data: bytes, out: Path | None) -> bool:
    """A result to a file, else to standard output, which `-` means too; tells whether it was a file. Raises OSError."""
    if out is None or str(out) == "-":
        say_bytes(data)
        return False
    from archdsl.staging import write_atomic

    write_atomic(out, data)
    return True


def say_json(value: dict[str, Any]) -> None:
    import json

    _write(visible_json(json.dumps({"format_version": 1, **value}, indent=2, ensure_ascii=False)) + "\n")


def show_progress(text: str) -> None:
    """Text on stderr whose control characters are ours: callers spell what they put into it."""
    _write(text, err=True)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _write(data: str | bytes, *, err: bool = False) -> None:
    """Raises OSError where the stream does not take it."""
    # Whether there are colours in it has been decided: click would take them out of what goes into a pipe.
    click.echo(data, nl=False, err=err, color=True)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: str = "  ") -> str:
    """A table with columns two spaces apart; those in `right` are right-aligned. Empty without rows."""
    if not rows:
        return ""
    rows = [[visible_line(text) for text in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        cells = (
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines) + "\n"


def count(number: int) -> str:
    """3,421,875."""
    return f"{number:,}"


def short(number: int) -> str:
    """3.42 M, 27.77 G; nothing where the number is as short."""
    if number >= 10**18:
        digits = str(number)
        return f"{digits[0]}.{digits[1]}e{len(digits) - 1}"
    for unit, size in (("P", 10**15), ("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return ""


def plural(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
