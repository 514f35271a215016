"""Legends: long sets of candidates under a letter each, and samples of strokes with their meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.render.model.labels import listed, small
from archdsl.render.model.picture import Box, Line, Outline, Point, Stroke, Text
from archdsl.render.model.splines import straight

_SAMPLE = 34.0
_SIZE = 9
_LETTER = 0.56
_LETTER_BOLD = 0.67
"""The mean width of a letter of DejaVu Sans, in its size."""
_ENOUGH = 1.1
"""Of that, so that a line has room however wide its letters are."""
_ROW = 18.0
_WIDTH = 1150.0

_MOST_CANDIDATES = 8
"""A longer set has a letter."""
_MOST_REPEATED = 3
"""The same, where several edges have the set."""
_OFTEN = 6
"""A set of several has a letter too where so many edges have it."""

Candidates: TypeAlias = "tuple[str, ...]"
SetNames: TypeAlias = "Mapping[Candidates, str]"


def named_sets(sets: Sequence[Candidates]) -> SetNames:
    """A letter for each set that is too long for its edge, or stands on several."""
    counts = Counter(sets)
    long = [candidates for candidates, edges in counts.items() if len(candidates) > _most_spelled(edges)]
    return {candidates: set_name(number) for number, candidates in enumerate(long)}


def _most_spelled(edges: int) -> int:
    """How many candidates stand on an edge, where so many edges have the same."""
    if edges >= _OFTEN:
        return 1
    return _MOST_REPEATED if edges > 1 else _MOST_CANDIDATES


def set_name(number: int) -> str:
    """The name of a set by its position from 0, like a column of a spreadsheet: A to Z, AA to ZZ, AAA."""
    name = ""
    position = number + 1
    while position:
        position, last = divmod(position - 1, 26)
        name = chr(ord("A") + last) + name
    return name


def set_legend(names: SetNames) -> list[Text]:
    """One entry for each set that has a letter."""
    found: list[Text] = []
    for candidates, letter in names.items():
        lines = listed(candidates, 90)
        found += [small(f"{letter}? one of {lines[0]}", 9), *(small(line, 9) for line in lines[1:])]
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    text: str
    stroke: Stroke | None
    """None for a sentence without a sample."""


def text_box(name: str, text: Text, start: Point) -> Box:
    """A line of text that begins here."""
    width = _ENOUGH * len(text.text) * text.size * (_LETTER_BOLD if text.bold else _LETTER)
    at = (start[0] + width / 2, start[1])
    return Box(name, (text,), Outline.PLAIN, at=at, size=(width, 1.5 * text.size), left=True)


def legend(entries: Sequence[Entry], corner: Point) -> tuple[list[Box], list[Line]]:
    """From the upper left corner on, in rows. A sample is a line from its text to its text, as it joins nothing."""
    boxes: list[Box] = []
    lines: list[Line] = []
    x, y = corner
    for number, entry in enumerate(entries):
        width = _ENOUGH * len(entry.text) * _SIZE * _LETTER
        whole = width + (_SAMPLE + 8 if entry.stroke else 0)
        if x > corner[0] and x + whole > corner[0] + _WIDTH:
            x, y = corner[0], y - _ROW
        name = f"legend {number}"
        if entry.stroke is not None:
            way = straight((x, y), (x + _SAMPLE, y))
            lines.append(Line(name, name, stroke=entry.stroke, arrow=False, way=way))
            x += _SAMPLE + 8
        boxes.append(text_box(name, Text(entry.text, _SIZE), (x, y)))
        x += width + 18
    return boxes, lines
