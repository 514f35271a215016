"""A picture as data: boxes, lines, texts, strokes and colours.

A colour never carries meaning alone: a dash, a mark or a word goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

FONT = "DejaVu Sans"
"""The font by which layout measures text; another would give other bytes."""
FONT_FAMILIES = (FONT, "Bitstream Vera Sans", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "sans-serif")
"""What an SVG asks a viewer for, in order of preference. Boxes are measured with the first. Of the others only
Liberation Sans was measured: small letters and digits are narrower by an eighth on average (bold ones by a sixth);
`?`, `_`, `→` and some capitals are wider, which the margin of a box takes up. What `sans-serif` stands for is the
viewer's choice."""

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


@dataclass(frozen=True, slots=True)
class Swatch:
    """A fill, and a colour of letters that are read on it."""

    fill: str
    ink: str


Point: TypeAlias = "tuple[float, float]"
"""In points, y upwards."""

Format: TypeAlias = Literal["dot", "svg", "png", "pdf", "json"]
FORMATS: Final[tuple[Format, ...]] = ("dot", "svg", "png", "pdf", "json")


@dataclass(frozen=True, slots=True)
class Text:
    """One line of a label."""

    text: str
    size: int = 10
    bold: bool = False
    colour: str = INK


class Outline(StrEnum):
    BOX = "box"
    ROUND = "round"
    CIRCLE = "circle"
    DOT = "dot"
    """A small filled circle; its text stands in no picture."""
    PLAIN = "plain"
    """Text alone."""


@dataclass(frozen=True, slots=True)
class Box:
    """Something that is joined by lines. `name` is unique; SVG has it as title, which viewers show on hover."""

    name: str
    label: tuple[Text, ...] = ()
    outline: Outline = Outline.ROUND
    stroke: Stroke = PLAIN
    fill: str = PAPER
    at: Point | None = None
    """The centre, where the picture is placed by hand."""
    size: Point | None = None
    left: bool = False
    """Whether its lines begin at its left edge; a box of text that is so wide at least."""


@dataclass(frozen=True, slots=True)
class Line:
    tail: str
    head: str
    label: tuple[Text, ...] = ()
    stroke: Stroke = PLAIN
    arrow: bool = True
    way: tuple[Point, ...] = ()
    """A Bezier spline of 3n + 1 points, where the picture is placed by hand."""
    pulls: bool = True
    """Whether its head is laid out behind its tail."""
    fill: str = ""
    """Behind its label."""


@dataclass(frozen=True, slots=True)
class Group:
    """Boxes with a frame around them."""

    name: str
    heading: tuple[Text, ...]
    boxes: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    """Those of its boxes that stand side by side."""


class Flow(StrEnum):
    """How a picture that is not placed by hand is laid out."""

    RIGHT = "LR"
    DOWN = "TB"


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and lines, placed by hand or laid out along a direction."""

    name: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    flow: Flow | None = Flow.RIGHT
    """None where every box says where it is."""
    heading: tuple[Text, ...] = ()
    """Title and legend, above a picture that is not placed by hand."""
    scale: tuple[tuple[Swatch, tuple[Text, ...]], ...] = ()
    """Colours with their meaning, below such a heading."""
    groups: tuple[Group, ...] = ()
    """Of a picture that is not placed by hand."""
