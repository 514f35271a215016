"""A parameter that its op, set, cell, space or search does not read."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.sema.resolve.index import Kind


def _find(file: File) -> Iterator[Diagnostic]:
    for each in file.defined(Kind.PARAMETER):
        if not file.is_used_inside(each) and each.owner is not None:
            message = f"the parameter `{each.name}` of `{each.owner.name}` is unused"
            yield warning(codes.UNUSED_PARAMETER, message, each, "not used", "use it, or take it out")


RULE = Rule(codes.UNUSED_PARAMETER, "unused-parameter", _find)
