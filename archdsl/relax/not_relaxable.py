"""What cannot be part of a supernet: found while a program is lowered, shown where it stands."""

from __future__ import annotations

from typing import Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.space import Program
from archdsl.text import Span

NOT_RELAXABLE: Final = "E0621"


class NotRelaxable(Exception):
    """A node or a question that cannot be mixed, why, and what to do."""

    def __init__(self, path: str, span: Span | None, reason: str, help: str) -> None:
        super().__init__(f"`{path}` {reason}")
        self.span = span
        self.reason = reason
        self.help = help

    def diagnostic(self, program: Program) -> Diagnostic:
        return Diagnostic(
            NOT_RELAXABLE,
            f"`{program.name}` cannot be relaxed: {self}",
            None if self.span is None else Label(self.span, "cannot be mixed"),
            help=self.help,
        )
