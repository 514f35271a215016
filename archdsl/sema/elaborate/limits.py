"""What a text may demand (`property-no-escape`): how deep its definitions lie in one another, and how much work."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.diagnostics import Diagnostic, Label
from archdsl.sema import codes
from archdsl.syntax import ast
from archdsl.text import Span

DEPTH_LIMIT = 40
"""No ops, sets and cells lie deeper in one another. Those of published spaces lie 9 deep."""

STEP_LIMIT = 500_000
"""No space takes more steps: expressions read, candidates of sets, calls. Auto-DeepLab's takes 73,000."""
STEPS_OF_A_SPACE = 200
"""What a space takes beside its steps."""
TEXT_LIMIT = 2_000_000
"""No text takes more steps for all its spaces, each with all parameters that it is laid out with."""


class Refused(Exception):
    """What ends the laying out of a text, with the diagnostic that says so."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class TooLarge(Refused):
    """The text would expand beyond a limit."""

    def __init__(self, span: Span | None, what: str) -> None:
        label = Label(span, "expands too far") if span else None
        help = "a text may not demand unbounded work; make it smaller"
        super().__init__(Diagnostic(codes.EXPANDS_TOO_FAR, what, label, help=help))


@dataclass(slots=True)
class Work:
    """Counts the steps of laying a space out, before each is taken."""

    left: int = STEP_LIMIT

    def spend(self, span: Span, steps: int = 1) -> None:
        """Raises TooLarge where the limit is reached."""
        self.left -= steps
        if self.left < 0:
            raise TooLarge(span, f"laying the text out takes more than {STEP_LIMIT:,} steps")


@dataclass(slots=True)
class Budget:
    """The steps that are left to the spaces of a text."""

    left: int = TEXT_LIMIT
    refused: Span | None = None
    """The first space that was one too many: each behind it is refused with the same words, which are said once."""

    @contextmanager
    def work(self, span: Span) -> Generator[Work, None, None]:
        """The steps of one more space, whose name is at `span`. Raises TooLarge where none are left."""
        if self.left <= 0:
            self.refused = self.refused or span
            raise TooLarge(self.refused, f"the spaces of this text take more than {TEXT_LIMIT:,} steps together")
        work = Work()
        try:
            yield work
        finally:
            self.left -= STEPS_OF_A_SPACE + STEP_LIMIT - work.left


Entered: TypeAlias = "ast.Op | ast.Cell | ast.Ops"


@dataclass(slots=True)
class Nesting:
    """The ops, sets and cells that are being laid out, each in the one before it, with the places that name them."""

    _open: list[tuple[Entered, Span]] = field(default_factory=list[tuple[Entered, Span]])

    def enter(self, item: Entered, span: Span) -> None:
        """Raises Refused where `item` closes a circle that does not end, or lies too deep.

        An op or a cell may use itself: parameters can end that. A set has none.
        """
        if len(self._open) >= DEPTH_LIMIT or (isinstance(item, ast.Ops) and self._begins(item) is not None):
            raise self._refused(item, span)
        self._open.append((item, span))

    def leave(self) -> None:
        self._open.pop()

    def _begins(self, item: Entered) -> int | None:
        """Where `item` was entered last."""
        return next((at for at in reversed(range(len(self._open))) if self._open[at][0] is item), None)

    def _refused(self, item: Entered, span: Span) -> Refused:
        begins = self._begins(item)
        if begins is None:
            return TooLarge(span, f"ops, sets and cells lie more than {DEPTH_LIMIT} deep in one another")
        between = self._open[begins + 1 :]
        names = [item.name.text, *(each.name.text for each, _ in between), item.name.text]
        through = ": " + " uses ".join(f"`{name}`" for name in names) if between else ""
        return Refused(
            Diagnostic(
                codes.CYCLE,
                f"`{item.name.text}` uses itself{through}",
                Label(span, "closes the circle"),
                tuple(Label(place, f"through `{each.name.text}`") for each, place in between if place != span),
                help="a network has no loops: let one of them use something else",
            )
        )
