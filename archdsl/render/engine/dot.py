"""A picture in Graphviz's language: one statement a line, attributes in one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from archdsl.render.model.picture import (
    FAINT,
    FONT,
    INK,
    Box,
    Dash,
    Flow,
    Group,
    Line,
    Outline,
    Picture,
    Point,
    Stroke,
    Text,
)

_SHAPES = {
    Outline.BOX: ("box", "filled"),
    Outline.ROUND: ("box", "filled,rounded"),
    Outline.CIRCLE: ("ellipse", "filled"),
    Outline.DOT: ("circle", "filled"),
    Outline.PLAIN: ("plain", ""),
}
_BASE_SIZE = 10


def write(picture: Picture) -> str:
    """DOT of the picture."""
    groups = (line for group in picture.groups for line in _group(group))
    body = [*_settings(picture), *map(_box, picture.boxes), *groups, *map(_line, picture.lines)]
    return "\n".join([f"digraph {quote(picture.name)} {{", *(f"  {line}" for line in body), "}", ""])


def _settings(picture: Picture) -> Iterable[str]:
    graph = {"fontname": quote(FONT), "bgcolor": quote("white"), "pad": "0.15"}
    if picture.flow is None:
        graph |= {"outputorder": "edgesfirst"}
    else:
        spacing = ("0.22", "0.35") if picture.flow is Flow.RIGHT else ("0.3", "0.28")
        graph |= {"rankdir": picture.flow, "nodesep": spacing[0], "ranksep": spacing[1]}
    if picture.heading:
        label = _scaled(picture) if picture.scale else _label(picture.heading, left=True)
        graph |= {"label": label, "labelloc": "t", "labeljust": "l"}
    yield _statement("graph", graph)
    base = {"fontname": quote(FONT), "fontsize": str(_BASE_SIZE), "fontcolor": quote(INK)}
    yield _statement("node", base | {"margin": quote("0.09,0.05"), "height": "0.3", "width": "0.3"})
    yield _statement("edge", base | {"arrowsize": "0.6"})


def _box(box: Box) -> str:
    shape, style = _SHAPES[box.outline]
    dash = "" if box.stroke.dash is Dash.SOLID else f",{box.stroke.dash}"
    found = {"label": _aligned(box) if box.label else quote(""), "shape": shape}
    if box.outline is not Outline.PLAIN:
        found |= {"style": quote(style + dash), "color": quote(box.stroke.colour), "fillcolor": quote(box.fill)}
        found |= {"penwidth": _number(box.stroke.width)}
    if box.at is not None:
        found |= {"pos": quote(_point(box.at))}
    if box.size is not None and not box.left:  # else its table is as wide
        width, height = box.size
        found |= {"width": _number(width / 72), "height": _number(height / 72), "fixedsize": "true"}
    return _statement(quote(box.name), found)


def _group(group: Group) -> Iterable[str]:
    yield f"subgraph {quote(f'cluster {group.name}')} {{"
    frame = {"label": _label(group.heading), "labeljust": "r", "style": quote("rounded"), "color": quote(FAINT)}
    yield "  " + _statement("graph", frame)
    for row in group.rows:
        yield f"  {{ rank=same; {' '.join(f'{quote(name)};' for name in row)} }}"
    yield "  " + " ".join(f"{quote(name)};" for name in group.boxes)
    yield "}"


def _line(line: Line) -> str:
    found = {"label": _chip(line.label, line.fill) if line.fill else _label(line.label)} if line.label else {}
    found |= _stroke(line.stroke)
    if not line.arrow:
        found |= {"arrowhead": "none"}
    if not line.pulls:
        found |= {"constraint": "false"}
    if line.way:
        found |= {"pos": quote(_way(line.way, arrow=line.arrow))}
    return _statement(f"{quote(line.tail)} -> {quote(line.head)}", found)


def _stroke(stroke: Stroke) -> dict[str, str]:
    found = {"color": quote(stroke.colour), "penwidth": _number(stroke.width)}
    return found if stroke.dash is Dash.SOLID else found | {"style": str(stroke.dash)}


_ARROW = 6.0
"""The length of an arrow's head, by which its line ends earlier."""


def _way(points: Sequence[Point], *, arrow: bool) -> str:
    if not arrow:
        return " ".join(map(_point, points))
    (x, y), (from_x, from_y) = points[-1], points[-2]
    length = max(1.0, ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5)
    end = (x - _ARROW * (x - from_x) / length, y - _ARROW * (y - from_y) / length)
    return f"e,{_point((x, y))} " + " ".join(map(_point, (*points[:-1], end)))


def _label(lines: Iterable[Text], *, left: bool = False) -> str:
    end = '<BR ALIGN="LEFT"/>' if left else "<BR/>"
    return f"<{end.join(map(_text, lines))}{end if left else ''}>"


def _aligned(box: Box) -> str:
    if not box.left or box.size is None:
        return _label(box.label)
    table = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" WIDTH="{_number(box.size[0])}"'
    rows = "".join(f'<TR><TD ALIGN="LEFT">{_text(line)}</TD></TR>' for line in box.label)
    return f"<<TABLE {table}>{rows}</TABLE>>"


def _chip(lines: Iterable[Text], fill: str) -> str:
    """A label on a fill."""
    table = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" STYLE="ROUNDED"'
    return f'<<TABLE {table} BGCOLOR="{fill}"><TR><TD>{"<BR/>".join(map(_text, lines))}</TD></TR></TABLE>>'


def _scaled(picture: Picture) -> str:
    """A heading with a row of swatches below."""
    plain = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"'
    rows = [f'<TR><TD ALIGN="LEFT">{_text(line)}</TD></TR>' for line in picture.heading]
    swatches = "".join(
        f'<TD BGCOLOR="{swatch.fill}" CELLPADDING="4">{"<BR/>".join(map(_text, lines))}</TD>'
        for swatch, lines in picture.scale
    )
    inner = f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="3" COLOR="{FAINT}"><TR>{swatches}</TR></TABLE>'
    return f'<<TABLE {plain}>{"".join(rows)}<TR><TD ALIGN="LEFT">{inner}</TD></TR></TABLE>>'


def _text(line: Text) -> str:
    inner = escape(line.text, quote=False) or " "  # Graphviz refuses an empty FONT
    size = "" if line.size == _BASE_SIZE else f' POINT-SIZE="{line.size}"'
    colour = "" if line.colour == INK else f' COLOR="{line.colour}"'
    text = f"<FONT{size}{colour}>{inner}</FONT>" if size or colour else inner
    return f"<B>{text}</B>" if line.bold else text


def _statement(subject: str, attributes: dict[str, str]) -> str:
    return f"{subject} [{', '.join(f'{name}={value}' for name, value in attributes.items())}];"


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")


def quote(text: str) -> str:
    """A string of DOT."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
