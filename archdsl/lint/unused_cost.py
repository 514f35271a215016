"""A cost that no search of its file reads."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.sema.resolve.index import Kind
from archdsl.syntax import ast


def _find(file: File) -> Iterator[Diagnostic]:
    if not any(isinstance(item, ast.Search) for item in file.unit.items.values()):
        return
    for each in file.defined(Kind.COST):
        if not file.is_used(each):
            message = f"the cost `{each.name}` is unused"
            yield warning(codes.UNUSED_COST, message, each, "not used", "name it in an objective, or take it out")


RULE = Rule(codes.UNUSED_COST, "unused-cost", _find)
