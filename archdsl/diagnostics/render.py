"""Diagnostics with source excerpts, in the layout of rustc."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from archdsl.diagnostics.model import Diagnostic, Label, Severity
from archdsl.text import SourceFile, visible, visible_line

_TAB: Final = 4
_WIDEST: Final = 140
_MARGIN: Final = 30
_CUT: Final = "…"

_BOLD: Final = "1"
_BLUE: Final = "1;34"
_COLOURS: Final = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All diagnostics with source excerpts, an empty line after each. No information is in colour alone."""
    return "".join(f"{render_one(diagnostic, colour=colour)}\n" for diagnostic in diagnostics)


def render_one(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic, ending with a newline."""
    paint = _Paint(colour)
    tone = _COLOURS[diagnostic.severity]
    message = visible_line(diagnostic.message)
    lines = [paint(f"{diagnostic.severity}[{diagnostic.code}]", tone) + paint(f": {message}", _BOLD)]
    width = 1
    if diagnostic.primary is not None:
        labels = [_Mark(diagnostic.primary, "^", tone), *(_Mark(label, "-", _BLUE) for label in diagnostic.secondary)]
        width = max(len(str(mark.last_line)) for mark in labels)
        lines += _snippets(labels, width, paint)
    elif diagnostic.file:
        lines.append(f"{' ' * width}{paint('-->', _BLUE)} {visible_line(diagnostic.file)}")
    remarks = [("note", note) for note in diagnostic.notes]
    if diagnostic.help is not None:
        remarks.append(("help", diagnostic.help))
    gutter = " " * (width + 1)
    if remarks and diagnostic.primary is not None:
        lines.append(gutter + paint("|", _BLUE))
    for kind, text in remarks:
        first, *more = visible(text).split("\n")
        lines.append(f"{gutter}{paint('=', _BLUE)} {paint(f'{kind}:', _BOLD)} {first}")
        lines += [f"{gutter}  {' ' * (len(kind) + 1)} {line}" for line in more]
    return "\n".join(line.rstrip() for line in lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Paint:
    on: bool

    def __call__(self, text: str, tone: str) -> str:
        return f"\x1b[{tone}m{text}\x1b[0m" if self.on and text else text


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label with the character that underlines it."""

    label: Label
    sign: str
    tone: str

    @property
    def source(self) -> SourceFile:
        return self.label.span.source

    @property
    def first_line(self) -> int:
        return self.source.position(self.label.span.start).line

    @property
    def last_line(self) -> int:
        span = self.label.span
        return self.source.position(max(span.start, span.stop - 1)).line

    def on_line(self, line: int) -> _Piece:
        """The part of the label on its first or last line; the text goes with the last part."""
        source, span = self.source, self.label.span
        length = len(source.line(line))
        start = source.position(span.start).column - 1 if line == self.first_line else _indent(source.line(line))
        stop = source.position(span.stop - 1).column if line == self.last_line and span.stop > span.start else length
        start = min(start, length)
        stop = start if span.stop <= span.start else min(max(stop, start), length)
        text = visible_line(self.label.text)
        if self.first_line != self.last_line:
            text = "begins here" if line == self.first_line else text or "ends here"
        return _Piece(start, max(stop, start + 1), self.sign, self.tone, text)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is drawn under one line: columns counted from 0 in characters of the source."""

    start: int
    stop: int
    sign: str
    tone: str
    text: str


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _snippets(marks: list[_Mark], width: int, paint: _Paint) -> list[str]:
    """The lines of each source, the one of the primary label first."""
    gutter = " " * (width + 1) + paint("|", _BLUE)
    lines: list[str] = []
    sources: list[SourceFile] = []
    for mark in marks:
        if mark.source not in sources:
            sources.append(mark.source)
    for number, source in enumerate(sources):
        here = [mark for mark in marks if mark.source == source]
        place = source.position(here[0].label.span.start)
        arrow = "-->" if number == 0 else ":::"
        lines.append(f"{' ' * width}{paint(arrow, _BLUE)} {visible_line(source.name)}:{place.line}:{place.column}")
        lines.append(gutter)
        shown = sorted({line for mark in here for line in (mark.first_line, mark.last_line)})
        previous: int | None = None
        for line in shown:
            lines += _between(source, previous, line, width, paint)
            pieces = [mark.on_line(line) for mark in here if line in (mark.first_line, mark.last_line)]
            lines += _drawn(source.line(line), pieces, line, width, paint)
            previous = line
    return lines


def _between(source: SourceFile, previous: int | None, line: int, width: int, paint: _Paint) -> list[str]:
    """What stands between two shown lines: nothing, the one line, or a mark that lines were left out."""
    if previous is None or line == previous + 1:
        return []
    if line == previous + 2:
        window = _Window.of(source.line(line - 1), [])
        number = paint(f"{line - 1:>{width}} |", _BLUE)
        return [f"{number} {window.text}"]
    return [paint("...", _BLUE)]


def _drawn(text: str, pieces: list[_Piece], line: int, width: int, paint: _Paint) -> list[str]:
    """A source line and the rows under it: signs and the last label first, the other labels below."""
    window = _Window.of(text, pieces)
    number = paint(f"{line:>{width}} |", _BLUE)
    gutter = " " * (width + 1) + paint("|", _BLUE)
    rows = [f"{number} {window.text}"]
    placed = sorted(((window.column(p.start), window.column(p.stop), p) for p in pieces), key=lambda x: (x[0], -x[1]))
    signs: dict[int, tuple[str, str]] = {}
    for start, stop, piece in sorted(placed, key=lambda x: x[2].sign == "^"):
        for column in range(start, max(stop, start + 1)):
            signs[column] = (piece.sign, piece.tone)
    end = max(signs) + 1
    row = "".join(paint(*signs[column]) if column in signs else " " for column in range(end))
    waiting = [(start, piece) for start, _, piece in placed if piece.text]
    if waiting and placed[-1][2].text:
        beside = waiting[-1]
        if all(max(stop, start + 1) <= beside[0] for start, stop, piece in placed if piece is not beside[1]):
            waiting.pop()
            row += " " + paint(beside[1].text, beside[1].tone)
    rows.append(f"{gutter} {row}")
    if waiting:
        rows.append(f"{gutter} {_bars(waiting, paint)}")
    while waiting:
        start, piece = waiting.pop()
        before = _bars([(at, other) for at, other in waiting if at < start], paint, width=start)
        rows.append(f"{gutter} {before}{paint(piece.text, piece.tone)}")
    return rows


def _bars(waiting: list[tuple[int, _Piece]], paint: _Paint, width: int = 0) -> str:
    tones = {start: piece.tone for start, piece in waiting}
    end = max(width, max(tones, default=-1) + 1)
    return "".join(paint("|", tones[column]) if column in tones else " " for column in range(end))


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a line that is shown, as it looks: tabs opened, control characters replaced."""

    text: str
    columns: tuple[int, ...]
    """The column on the screen for each character of the shown part, and for its end."""
    first: int

    @staticmethod
    def of(line: str, pieces: list[_Piece]) -> _Window:
        first, last = 0, len(line)
        if len(line) > _WIDEST:
            start = min((piece.start for piece in pieces), default=0)
            stop = max((piece.stop for piece in pieces), default=0)
            first = max(0, start - _MARGIN)
            last = min(len(line), max(first + _WIDEST, min(stop + _MARGIN, first + 2 * _WIDEST)))
        shown = _CUT if first else ""
        column = len(shown)
        columns: list[int] = []
        for character in line[first:last]:
            columns.append(column)
            look = _look(character, column)
            shown += look
            column += sum(map(_cells, look))
        columns.append(column)
        return _Window(shown + (_CUT if last < len(line) else ""), tuple(columns), first)

    def column(self, at: int) -> int:
        """The column on the screen of a character of the line."""
        inside = min(max(at - self.first, 0), len(self.columns) - 1)
        return self.columns[inside] + max(0, min(at - self.first - inside, 1))


def _look(character: str, column: int) -> str:
    if character == "\t":
        return " " * (_TAB - column % _TAB)
    if character.isprintable() or unicodedata.combining(character):
        return character
    return "\N{REPLACEMENT CHARACTER}"


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
