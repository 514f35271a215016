"""A line that no other line and no output reads: the network does not have it."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.sema.resolve.index import Kind


def _find(file: File) -> Iterator[Diagnostic]:
    for each in file.defined(Kind.LINE, Kind.QUESTION, Kind.BRANCH, Kind.STRUCTURE):
        if each.owner is not None and not file.is_used_inside(each):
            message = f"the {each.kind} `{each.name}` of `{each.owner.name}` is unused"
            yield warning(codes.UNUSED_LINE, message, each, "not used", "read it in a later line, or take it out")


RULE = Rule(codes.UNUSED_LINE, "unused-line", _find)
