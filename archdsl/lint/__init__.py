"""Warnings: what is allowed and rarely meant. A rule is a file, and its code has a page."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint.levels import reported
from archdsl.lint.project_settings import NO_SETTINGS, LintSettings, read_settings
from archdsl.lint.rule import File, Level, Rule
from archdsl.lint.rules import RULES
from archdsl.sema.modules.load import Unit
from archdsl.sema.resolve.index import Resolution

__all__ = [
    "NO_SETTINGS",
    "RULES",
    "File",
    "Level",
    "LintSettings",
    "Rule",
    "lint",
    "read_settings",
    "reported",
]


def lint(unit: Unit, resolution: Resolution) -> Iterator[Diagnostic]:
    """The warnings for a file without errors, before comments and settings take some of them away."""
    file = File(unit, resolution)
    for rule in RULES:
        if rule.find is not None:
            yield from rule.find(file)
