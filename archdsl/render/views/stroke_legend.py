"""A legend under a picture that is placed by hand: samples of strokes, each with its meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.render.model.picture import Box, Line, Outline, Point, Text
from archdsl.render.model.splines import straight
from archdsl.render.model.style import Stroke

_SAMPLE = 34.0
_SIZE = 9
_LETTER = 0.56
_LETTER_BOLD = 0.67
"""The mean width of a letter of DejaVu Sans, in its size."""
_ROW = 18.0
_WIDTH = 1150.0


@dataclass(frozen=True, slots=True)
class Entry:
    text: str
    stroke: Stroke | None
    """None for a sentence without a sample."""


def written(name: str, text: Text, start: Point) -> Box:
    """A line of text that begins about here: its width is guessed from its letters."""
    width = len(text.text) * text.size * (_LETTER_BOLD if text.bold else _LETTER)
    return Box(name, (text,), Outline.PLAIN, at=(start[0] + width / 2, start[1]))


def legend(entries: Sequence[Entry], corner: Point) -> tuple[list[Box], list[Line]]:
    """From the upper left corner on, in rows. A sample is a line from its text to its text, as it joins nothing."""
    boxes: list[Box] = []
    lines: list[Line] = []
    x, y = corner
    for number, entry in enumerate(entries):
        width = len(entry.text) * _SIZE * _LETTER
        whole = width + (_SAMPLE + 8 if entry.stroke else 0)
        if x > corner[0] and x + whole > corner[0] + _WIDTH:
            x, y = corner[0], y - _ROW
        name = f"legend {number}"
        if entry.stroke is not None:
            way = straight((x, y), (x + _SAMPLE, y))
            lines.append(Line(name, name, stroke=entry.stroke, arrow=False, way=way))
            x += _SAMPLE + 8
        boxes.append(written(name, Text(entry.text, _SIZE), (x, y)))
        x += width + 26
    return boxes, lines
