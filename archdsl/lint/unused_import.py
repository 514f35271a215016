"""A `use` of a file of which nothing is used."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.sema.resolve.index import Kind


def _find(file: File) -> Iterator[Diagnostic]:
    for each in file.defined(Kind.IMPORT):
        if not file.is_used(each):
            message = f"nothing of `{each.name}` is used"
            yield warning(codes.UNUSED_IMPORT, message, each, "not used", "take the line out")


RULE = Rule(codes.UNUSED_IMPORT, "unused-import", _find)
