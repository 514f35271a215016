"""Collects what is wrong, each mistake once."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Final

from archdsl.diagnostics import Diagnostic, Fix, Label, Severity
from archdsl.sema import codes
from archdsl.syntax.codes import TOO_MANY
from archdsl.text import Span, TextEdit

REPORT_LIMIT: Final = 200
"""The largest number of errors of one text that are shown, and of warnings."""


def limited(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The first of them, in their order, up to the limit, errors and warnings each for themselves."""
    found: list[Diagnostic] = []
    shown = Counter[Severity]()
    for diagnostic in diagnostics:
        severity = diagnostic.severity
        shown[severity] += 1
        if shown[severity] <= REPORT_LIMIT:
            found.append(diagnostic)
        elif shown[severity] == REPORT_LIMIT + 1:
            found.append(_rest(diagnostic))
    return tuple(found)


def _rest(first: Diagnostic) -> Diagnostic:
    """What is said instead of the first that is not shown, and of all behind it."""
    what = "mistakes" if _is_error(first) else "warnings"
    message = f"the text has more than {REPORT_LIMIT} {what}; those from here on are not shown"
    primary = first.primary and Label(first.primary.span, "")
    return Diagnostic(TOO_MANY, message, primary, help="mend those above first", severity=first.severity)


@dataclass(slots=True)
class Reporter:
    """A cell that stands forty times is checked forty times; a mistake in it is reported once.

    More errors than `REPORT_LIMIT` and one are only counted.
    """

    _found: dict[tuple[str, Span | None, str], Diagnostic] = field(
        default_factory=dict[tuple[str, Span | None, str], Diagnostic]
    )

    _broken: list[Span] = field(default_factory=list[Span])
    """The places of syntax errors."""
    errors: int = 0
    """How many were found, those that are only counted each time anew."""

    def copy(self) -> Reporter:
        """What was reported up to here, to go on from."""
        return Reporter(dict(self._found), list(self._broken), self.errors)

    @property
    def full(self) -> bool:
        """Whether errors are only counted from now on; what would be said of them need not be found out."""
        return self.errors > REPORT_LIMIT

    def report(
        self,
        code: str,
        message: str,
        span: Span | None,
        here: str = "",
        *,
        also: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
        fix: Fix | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        key = (code, span, "" if span else message)
        if key not in self._found and not (span and self._is_broken(span)):
            primary = Label(span, here) if span else None
            self._keep(key, Diagnostic(code, message, primary, also, notes, help, fix, severity))

    def add_at(self, code: str, message: str, span: Span, here: str, *, help: str | None) -> None:
        """One of several mistakes at one place."""
        self.add(Diagnostic(code, message, Label(span, here), help=help))

    def add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.code, diagnostic.primary.span if diagnostic.primary else None, diagnostic.message)
        if key not in self._found:
            self._keep(key, diagnostic)

    def _keep(self, key: tuple[str, Span | None, str], diagnostic: Diagnostic) -> None:
        error = diagnostic.severity is Severity.ERROR
        if not (error and self.full):
            self._found[key] = diagnostic
        self.errors += error

    def add_syntax(self, diagnostic: Diagnostic) -> None:
        """A syntax error; what a check says of the same place follows from it and is not reported."""
        self.add(diagnostic)
        if diagnostic.primary is not None:
            self._broken.append(diagnostic.primary.span)

    def merge(self, found: Sequence[Diagnostic]) -> None:
        """What a later check found, except where an earlier one has reported the place or one around it."""
        if not found:
            return
        earlier = (each for each in self._found.values() if _is_error(each))
        known = _Places([each.primary.span for each in earlier if each.primary])
        for diagnostic in found:
            span = diagnostic.primary.span if diagnostic.primary else None
            if span is None or not (known.hold(span) or (diagnostic.code == codes.UNKNOWN_NAME and known.name(span))):
                self.add(diagnostic)

    def _is_broken(self, span: Span) -> bool:
        return any(_holds(span, each) or _holds(each, span) for each in self._broken)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self._found.values())

    @property
    def failed(self) -> bool:
        return self.errors > 0


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


class _Places:
    """Spans, asked about others."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._names = {(span.source.name, span.text) for span in spans}
        self._starts: dict[str, list[int]] = {}
        self._reach: dict[str, list[int]] = {}
        """How far the spans reach that begin at a start or before it."""
        for span in sorted(spans, key=lambda span: span.start):
            reach = self._reach.setdefault(span.source.name, [])
            reach.append(max(span.stop, reach[-1] if reach else 0))
            self._starts.setdefault(span.source.name, []).append(span.start)

    def hold(self, span: Span) -> bool:
        """Whether one of them is around the span."""
        before = bisect_right(self._starts.get(span.source.name, []), span.start)
        return before > 0 and self._reach[span.source.name][before - 1] >= span.stop

    def name(self, span: Span) -> bool:
        """Whether one of them has the same text: a name that is not defined is not where the file reads it first."""
        return (span.source.name, span.text) in self._names


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop and outer.source.name == inner.source.name


def suggestion(written: str, known: list[str]) -> str | None:
    """Help for a name that is not known: the nearest one, else what there is."""
    if near := _near(written, known, 0.6):
        return f"did you mean `{near}`?"
    return f"known here: {listed(known)}" if known else None


def replacement(written: str, known: list[str], span: Span) -> Fix | None:
    near = _near(written, known, 0.75)
    return Fix(f"write `{near}`", (TextEdit(span, near),)) if near else None


NEAR_LIMIT = 1_000
"""Among more names the nearest is not looked for: such texts are not typed by hand."""
LONG_NAME = 100
"""Nor for a name of more characters."""
COMPARED = 30
"""So many names are compared as a whole, which takes 50 microseconds each: those that share the most characters."""


def _near(written: str, known: list[str], cutoff: float) -> str | None:
    """The known name that is most like what is written, if one is like it."""
    from difflib import get_close_matches

    if len(known) > NEAR_LIMIT or len(written) > LONG_NAME:
        return None
    if len(known) > COMPARED:
        characters = frozenset(written)

        def unlike(name: str) -> int:
            return len(characters.symmetric_difference(name[:LONG_NAME])) + abs(len(written) - len(name))

        known = nsmallest(COMPARED, known, key=unlike)
    return next(iter(get_close_matches(written, known, n=1, cutoff=cutoff)), None)


def listed(names: list[str], limit: int = 12) -> str:
    """`a`, `b` and 3 more."""
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
