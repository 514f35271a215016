"""Several pictures that are placed by hand, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.render.model.picture import Box, Line, Picture, Point
from archdsl.render.model.splines import moved

_APART = 70.0


def below_each_other(name: str, pictures: Sequence[Picture]) -> Picture:
    """One picture of all. A name that an earlier one has too gets the number of its picture."""
    boxes: list[Box] = []
    lines: list[Line] = []
    used: set[str] = set()
    bottom = 0.0
    for number, picture in enumerate(pictures, 1):
        top = max(_middle(box)[1] for box in picture.boxes)
        down = bottom - _APART - top if boxes else 0.0
        names = {box.name: f"{box.name} ({number})" if box.name in used else box.name for box in picture.boxes}
        for box in picture.boxes:
            x, y = _middle(box)
            boxes.append(replace(box, name=names[box.name], at=(x, y + down)))
        lines += [
            replace(line, tail=names[line.tail], head=names[line.head], way=moved(line.way, down))
            for line in picture.lines
        ]
        used |= set(names.values())
        bottom = min(_middle(box)[1] for box in boxes)
    return Picture(name, tuple(boxes), tuple(lines), flow=None)


def _middle(box: Box) -> Point:
    assert box.at is not None
    return box.at
