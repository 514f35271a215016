"""An op set that nothing uses, in a file that holds more than parts for other files."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics import Diagnostic
from archdsl.lint import codes
from archdsl.lint.rule import File, Rule, warning
from archdsl.sema.resolve.index import Kind


def _find(file: File) -> Iterator[Diagnostic]:
    if file.is_library:
        return
    for each in file.defined(Kind.OPS):
        if not file.is_used(each):
            yield warning(
                codes.UNUSED_OPS,
                f"the op set `{each.name}` is unused",
                each,
                "not used",
                "choose from it, or take it out",
            )


RULE = Rule(codes.UNUSED_OPS, "unused-ops", _find)
