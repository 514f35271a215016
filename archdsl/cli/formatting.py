"""Formats one file or standard input."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from archdsl.diagnostics import Diagnostic
from archdsl.fmt import Formatted, format_source
from archdsl.staging import ChangedMeanwhile, rewrite
from archdsl.syntax import MAX_BYTES, bytes_of, decode, read, rest_of
from archdsl.syntax.codes import UNREADABLE
from archdsl.text import visible_line

_ANYBODY_MAY_WRITE = 0o222


class Status(StrEnum):
    CANONICAL = "canonical"
    NOT_CANONICAL = "not canonical"
    FORMATTED = "formatted"
    BROKEN = "broken"
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"


@dataclass(frozen=True, slots=True)
class Outcome:
    file: str
    status: Status
    diagnostics: tuple[Diagnostic, ...] = ()
    diff: str = ""
    """The changes as a unified diff, whether or not they were written."""
    result: bytes | None = None
    """What goes to standard output; of standard input only."""
    refusal: str = ""
    """Why the file was not written."""


def format_input(name: str) -> Outcome:
    """Standard input. A text that cannot be formatted is written back byte for byte, so that no editor loses it."""
    data = bytes_of(sys.stdin.buffer)
    source = decode(name, data)
    if isinstance(source, Diagnostic):
        return Outcome(name, Status.BROKEN, (source,), result=data)
    formatted = format_source(source)
    if formatted.diagnostics:
        return Outcome(name, Status.BROKEN, formatted.diagnostics, result=data)
    status = Status.NOT_CANONICAL if formatted.text.encode() != data else Status.CANONICAL
    return Outcome(name, status, diff=_diff(formatted), result=formatted.text.encode())


def rest_of_input(outcome: Outcome) -> Iterator[bytes]:
    """What stands in standard input behind a text that is too large to be formatted, to be written back behind it."""
    is_cut = outcome.result is not None and len(outcome.result) > MAX_BYTES
    return rest_of(sys.stdin.buffer) if is_cut and outcome.status is Status.BROKEN else iter(())


def format_file(path: str, *, write: bool) -> Outcome:
    """A file, written where `write` says so and something changes."""
    source = read(path)
    if isinstance(source, Diagnostic):
        return Outcome(path, Status.UNREADABLE if source.code == UNREADABLE else Status.BROKEN, (source,))
    formatted = format_source(source)
    if formatted.diagnostics:
        return Outcome(path, Status.BROKEN, formatted.diagnostics)
    if not formatted.changed:
        return Outcome(path, Status.CANONICAL)
    diff = _diff(formatted)
    if not write:
        return Outcome(path, Status.NOT_CANONICAL, diff=diff)
    try:
        _write(Path(path).resolve(), formatted)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Outcome(path, Status.UNWRITABLE, diff=diff, refusal=f"`{path}` cannot be written: {reason}")
    return Outcome(path, Status.FORMATTED, diff=diff)


def _write(path: Path, formatted: Formatted) -> None:
    """An interrupted run leaves the old text. A read-only file is left alone, and one that was saved meanwhile.

    Raises OSError.
    """
    if not path.stat().st_mode & _ANYBODY_MAY_WRITE or not os.access(path, os.W_OK):
        raise PermissionError(None, "the file is read-only")
    before = path.read_bytes()
    if before.removeprefix(BOM_UTF8).decode(errors="replace") != formatted.source.text:
        raise ChangedMeanwhile(path)
    rewrite(path, before, formatted.text.encode())


def _diff(formatted: Formatted) -> str:
    from difflib import unified_diff

    if not formatted.changed:
        return ""
    name = visible_line(formatted.source.name)
    before, after = formatted.source.text.splitlines(keepends=True), formatted.text.splitlines(keepends=True)
    lines = unified_diff(before, after, name, f"{name} (canonical)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
