"""The textconv driver: canonical texts for `git diff`."""

from __future__ import annotations

from archdsl.diagnostics import Diagnostic
from archdsl.fmt import format_source
from archdsl.syntax import Parsed, decode, parse
from archdsl.text import SourceFile


def canonical(data: bytes) -> str | None:
    """The canonical text of a file's bytes, or None where they do not parse."""
    source = decode("<git>", data)
    if isinstance(source, Diagnostic):
        return None
    formatted = format_source(source)
    return None if formatted.diagnostics else formatted.text


def parsed(text: str) -> Parsed | None:
    """The AST of a text without syntax errors; None for one with errors."""
    found = parse(SourceFile("<git>", text))
    return None if found.diagnostics else found
