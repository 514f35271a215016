"""Names and numbers as labels show them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.ops import Shape
from archdsl.render.model.picture import MUTED, Text


def wrapped(name: str, width: int, most: int = 3) -> list[str]:
    """A name in lines of about so many characters, broken before `_` and after `.` and `,`.

    What is more than `most` lines ends in `…`; no name, no line.
    """
    if not name:
        return []
    lines = [""]
    for piece in re.findall(r"_?[^_.,\s]+[.,]?\s?|[_.,]", name):
        if lines[-1] and len(lines[-1]) + len(piece.strip()) > width:
            lines.append("")
        lines[-1] += piece
    lines = [line.strip() for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][: width - 1] + "…"]


def small(text: str, size: int = 8) -> Text:
    return Text(text, size, colour=MUTED)


def resolution(shape: Shape, image: Shape) -> str:
    """`1/8` where the image's size divides, else `128x256`.

    Of an image of 769 rows, one more than a multiple, 97 are 1/8.
    """
    if shape.height == shape.width == 1 and image.height > 1:
        return "1x1"
    for more in (0, 1):
        sizes = (image.height - more, shape.height - more, image.width - more, shape.width - more)
        if 0 not in sizes and sizes[0] % sizes[1] == 0 == sizes[2] % sizes[3]:
            factor = sizes[0] // sizes[1]
            if factor == sizes[2] // sizes[3]:
                return f"1/{factor}"
    return f"{shape.height}x{shape.width}"


def shown(shape: Shape, image: Shape) -> str:
    """`64 @ 1/8`: channels and resolution of a map. Open channels are shown as `?`."""
    channels = shape.channels if isinstance(shape.channels, int) else "?"
    return f"{channels} @ {resolution(shape, image)}"


def listed(names: Sequence[str], width: int) -> list[str]:
    """Names in lines of at most so many characters."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= width:
            lines[-1] += f", {name}"
        else:
            lines.append(name)
    return [f"{line}," for line in lines[:-1]] + lines[-1:]
