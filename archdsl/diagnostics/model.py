"""Diagnostics as data: they are collected and returned, never raised."""

from __future__ import annotations

from enum import StrEnum

from archdsl.records import record
from archdsl.text import Span, TextEdit


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@record
class Label:
    """A span with a short message."""

    span: Span
    text: str = ""


@record
class Fix:
    """A fix as an edit; `certain` where it can be applied without asking."""

    title: str
    edits: tuple[TextEdit, ...]
    certain: bool = False


@record
class Diagnostic:
    """An error or warning: a code with a page, a message that can stand alone, and labels."""

    code: str
    message: str
    primary: Label | None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    severity: Severity = Severity.ERROR
    file: str = ""
    """The file, where there is no span to point at (unreadable or empty)."""
