"""A diagnostic is a value: it is collected and returned, never raised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archdsl.text import Span, TextEdit


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """What there is to say about one place, in a few words."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """One change that mends the text; `certain` when it cannot be the wrong one."""

    title: str
    edits: tuple[TextEdit, ...]
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: a code with a page, a message that stands alone, and the places."""

    code: str
    message: str
    primary: Label | None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    severity: Severity = Severity.ERROR
    file: str = ""
    """The file, where there is no place in it to point at (unreadable, empty)."""
