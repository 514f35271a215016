"""Line breaking: a group stays on one line where it fits, else each entry gets a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from archdsl.fmt.layout import Block, Group, Part, Remark, Row, Word, flat, spaced, wants_comma

WIDTH: Final = 120
INDENT: Final = 2


def lines(rows: Sequence[Row]) -> str:
    """The text of the rows, ending with a newline."""
    writer = _Writer()
    writer.rows(rows, 0)
    return writer.text()


class _Writer:
    def __init__(self) -> None:
        self._done: list[str] = []
        self._line: list[str] = []
        self._column = 0

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._done)

    def rows(self, rows: Sequence[Row], indent: int, group: Group | None = None) -> None:
        last = max((at for at, row in enumerate(rows) if row.parts), default=-1)
        for at, row in enumerate(rows):
            if row.after_blank and at:
                self._done.append("")
            self._add(" " * indent)
            comma = group is not None and bool(row.parts) and (at != last or wants_comma(group))
            self._parts(row.parts, indent, tail=int(comma))
            if comma:
                self._add(",")
            if row.remark is not None:
                self._add(f"  {row.remark}" if row.parts else row.remark)
            self._end()

    def _add(self, text: str) -> None:
        self._line.append(text)
        self._column += len(text)

    def _end(self) -> None:
        self._done.append("".join(self._line).rstrip())
        self._line.clear()
        self._column = 0

    def _parts(self, parts: Sequence[Part], indent: int, tail: int) -> None:
        before: Part | None = None
        for at, part in enumerate(parts):
            if before is not None and not isinstance(part, Remark) and spaced(before, part):
                self._add(" ")
            before = part
            match part:
                case Word():
                    self._add(part.text)
                case Remark():
                    self._remark(part, indent)
                    before = None
                case Block():
                    self._bracketed("{", part.head, part.rows, indent, "}")
                case Group():
                    one_line = part.flat
                    if one_line is not None and self._fits(len(one_line), parts, at + 1, tail):
                        self._add(one_line)
                    else:
                        opener, closer = part.signs
                        self._bracketed(opener, part.head, part.rows, indent, closer, part)

    def _remark(self, remark: Remark, indent: int) -> None:
        if remark.own_line:
            self._end()
            self._add(" " * indent + remark.text)
        else:
            self._add(f"  {remark.text}")
        self._end()
        self._add(" " * indent)

    def _bracketed(
        self, opener: str, head: str | None, rows: Sequence[Row], indent: int, closer: str, group: Group | None = None
    ) -> None:
        self._add(opener)
        if head is not None:
            self._add(f"  {head}")
        if rows or head is not None:
            self._end()
            self.rows(rows, indent + INDENT, group)
            self._add(" " * indent)
        self._add(closer)

    def _fits(self, width: int, parts: Sequence[Part], rest: int, tail: int) -> bool:
        """Whether a group fits on this line, with what follows it up to the next possible break."""
        width += self._column
        before = parts[rest - 1]
        for part in parts[rest:]:
            if width > WIDTH or isinstance(part, Remark):
                return width <= WIDTH
            width += spaced(before, part)
            if isinstance(part, Block) or (isinstance(part, Group) and part.rows):
                return width + 1 <= WIDTH
            width += len(flat((part,)) or "")
            before = part
        return width + tail <= WIDTH
