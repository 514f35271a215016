"""Colours and strokes. A colour never carries meaning alone: a dash, a mark or a word goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FONT = "DejaVu Sans"
"""The font by which layout measures text; another would give other bytes."""
FONT_FAMILIES = (FONT, "Bitstream Vera Sans", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "sans-serif")
"""What an SVG asks a viewer for, in order of preference. None of those named is wider than the first, so that text
fits the boxes with each of them; Verdana is left out, whose `_`, brackets and points are wider."""

INK = "#1a1a1a"
MUTED = "#595959"
FAINT = "#b8b8b8"
PAPER = "#ffffff"
TINT = "#f3f3f3"


class Dash(StrEnum):
    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"
    HIDDEN = "invis"
    """Nothing to see: it keeps boxes in their order."""


@dataclass(frozen=True, slots=True)
class Stroke:
    colour: str = INK
    dash: Dash = Dash.SOLID
    width: float = 1.0


PLAIN = Stroke()

# Okabe and Ito's colours: told apart by colour-blind readers, and dark enough on white.
BRANCHES = (
    Stroke("#0072B2", Dash.SOLID, 2.4),
    Stroke("#D55E00", Dash.DASHED, 2.4),
    Stroke("#007A5E", Dash.DOTTED, 2.8),
    Stroke("#8F4A79", Dash.DASHED, 3.6),
)


def branch_stroke(number: int) -> Stroke:
    """How the branch with this number is drawn, in the order of `branches a, b`."""
    return BRANCHES[number % len(BRANCHES)]
