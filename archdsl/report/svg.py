"""Graphviz's SVG as a part of a page: without what every text and every element repeats."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final

from archdsl.render import Picture, render
from archdsl.report.markup import Html

_SPACE: Final = "{http://www.w3.org/2000/svg}"
_PIXELS: Final = 1.15
"""For a point: letters of 10 points are read well, and a picture of usual size fits on a screen."""
_LEFT_OUT: Final = frozenset({"id", "font-family"})


def inline(picture: Picture) -> Html:
    """The picture as part of a page. Raises ToolMissing without Graphviz."""
    root = parsed(picture)
    unnamed(root)
    return written(root)


def parsed(picture: Picture) -> ET.Element:
    """Its SVG, without namespaces and without a background."""
    root = ET.fromstring(render(picture, "svg"))  # what our own renderer wrote
    for each in root.iter():
        each.tag = each.tag.removeprefix(_SPACE)
        each.attrib = {name: value for name, value in each.attrib.items() if not name.startswith("{")}
        each.tail = None
    graph = root.find("g")
    background = None if graph is None else graph.find("polygon")
    if graph is not None and background is not None and background.get("fill") == "white":
        graph.remove(background)
    for side in ("width", "height"):
        root.set(side, f"{_PIXELS * float(root.attrib[side].removesuffix('pt')):.0f}")
    root.set("role", "img")
    return root


def unnamed(root: ET.Element) -> None:
    """Takes the names away that elements of two pictures share, and the fonts, which a page sets once."""
    for each in root.iter():
        each.attrib = {name: value for name, value in each.attrib.items() if name not in _LEFT_OUT}


def written(root: ET.Element) -> Html:
    return Html(ET.tostring(root, encoding="unicode"))
