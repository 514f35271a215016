"""Colours for classes of which only the names are known."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Final

from archdsl.data import Classes
from archdsl.data.camvid_classes import ELEVEN
from archdsl.data.model import Colour
from archdsl.data.street_classes import NINETEEN
from archdsl.data.streets import CLASSES as STREETS

_GOLDEN: Final = 0.618034
"""Of a circle: hues that are so far apart each stay apart from all before them."""


def classes_of(names: Sequence[str]) -> Classes:
    """With the colours of the data that have these very classes, else with those of a fixed palette."""
    for known in (STREETS, ELEVEN, NINETEEN):
        if known.names == tuple(names):
            return known
    return Classes(tuple(names), tuple(map(_colour, range(len(names)))))


def numbered(count: int) -> Classes:
    """Classes that nothing names."""
    return classes_of(["unnamed"] * count)


def _colour(number: int) -> Colour:
    """Neighbours differ in hue and in lightness."""
    lightness, saturation = ((0.45, 0.75), (0.7, 0.65), (0.3, 0.6))[number % 3]
    r, g, b = colorsys.hls_to_rgb(number * _GOLDEN % 1, lightness, saturation)
    return round(255 * r), round(255 * g), round(255 * b)
