"""A picture as data: boxes and lines, written as DOT, SVG, PNG or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from archdsl.render.model.style import INK, PAPER, PLAIN, Stroke

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
    groups: tuple[Group, ...] = ()
    """Of a picture that is not placed by hand."""
