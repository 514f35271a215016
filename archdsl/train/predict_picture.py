"""Pictures of predicted classes: colours over the image, a number in each region, and what both mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from archdsl.data import Classes
from archdsl.data.model import Bytes
from archdsl.data.sheet import legend, overlay

_SMALLEST: Final = 12
"""Pixels of the side of a square that a number fits into."""
_GAP: Final = 6
_INK: Final = (20, 20, 20)
_PAPER: Final = (255, 255, 255)


def picture(image: Bytes, labels: Bytes, classes: Classes, *, strength: float, with_legend: bool) -> Image.Image:
    """The image with the colour of each class over it, edged, numbered where there is room.

    Below it stands what the numbers and colours mean, of the classes that occur, with the share of the pixels.
    """
    page = Image.fromarray(_edged(overlay(image, labels, classes, strength), labels))
    _number(page, labels)
    if not with_legend:
        return page
    pixels: list[int] = np.bincount(labels.ravel(), minlength=classes.count).tolist()
    told = [
        (f"{number} {classes.names[number]} {_percent(count / labels.size)}", classes.colours[number])
        for number, count in sorted(enumerate(pixels), key=lambda each: -each[1])
        if count
    ]
    below = legend(told, max(page.width, _widest(told)))
    whole = Image.new("RGB", (max(page.width, below.width), page.height + _GAP + below.height), _PAPER)
    whole.paste(page)
    whole.paste(below, (0, page.height + _GAP))
    return whole


def label_picture(labels: Bytes, classes: Classes) -> Image.Image:
    """One channel with the index of the class, and the colours of the classes as its palette."""
    found = Image.fromarray(labels)
    found.putpalette([part for colour in classes.colours for part in colour])
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "<0.1 %"


def _edged(painted: Bytes, labels: Bytes) -> Bytes:
    """Regions are told apart by more than their colour."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    darker = painted.copy()
    darker[edge] //= 3
    return darker


def _number(page: Image.Image, labels: Bytes) -> None:
    """Each class's number in the middle of the largest square that it fills, where a number fits into one."""
    pen = ImageDraw.Draw(page)
    for number in np.unique(labels).tolist():
        side, y, x = largest_square(labels == number)
        if side >= _SMALLEST:
            font = ImageFont.load_default(min(28, max(10, side // 2)))
            at = (x + side // 2, y + side // 2)
            pen.text(at, str(number), fill=_PAPER, font=font, anchor="mm", stroke_width=1, stroke_fill=_INK)


def largest_square(inside: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Side, top and left of one, to a quarter; a side of 0 where there is none."""
    sums = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = inside.cumsum(0, dtype=np.int64).cumsum(1)
    for side in _sides(min(inside.shape)):
        full = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] == side * side
        if full.any():
            places = np.argwhere(full)
            y, x = places[len(places) // 2]
            return side, int(y), int(x)
    return 0, 0, 0


def _sides(most: int) -> Iterator[int]:
    while most > _SMALLEST:
        yield most
        most = max(_SMALLEST, most * 3 // 4)
    if most == _SMALLEST:
        yield most


def _widest(told: list[tuple[str, tuple[int, int, int]]]) -> int:
    """What the longest entry needs: a small image has a wider legend."""
    font = ImageFont.load_default(13)
    return max(int(font.getlength(text)) for text, _ in told) + 60
