"""The paths of branches through a grid: the cells that they visit, and a stroke for each step of each."""

from __future__ import annotations

from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import Box, Line, Text
from archdsl.render.model.splines import swung
from archdsl.render.model.style import INK, MUTED, PAPER, TINT, Dash, Stroke
from archdsl.render.views.grid import CELL, SKIP
from archdsl.render.views.trellis_cells import Visit
from archdsl.render.views.trellis_layout import Sheet


def cell_boxes(sheet: Sheet) -> list[Box]:
    """A box for each cell that a branch visits, and a small dashed one where it hands its map on."""
    return [_cell_box(sheet, visit) for visit in sheet.visits]


def _cell_box(sheet: Sheet, visit: Visit) -> Box:
    at = sheet.grid.of_visit(visit)
    own = sheet.stroke(visit.branches[0])
    alone = len(visit.branches) == 1
    if visit.cell is None:
        colour = own.colour if alone else INK
        label = tuple(Text(line, 9, colour=MUTED) for line in wrapped(visit.op, 8, 2))
        return Box(visit.name, label, stroke=Stroke(colour, Dash.DASHED, 0.9), at=at, size=SKIP)
    stroke = Stroke(own.colour, Dash.SOLID, 1.4) if alone else Stroke(INK, Dash.SOLID, 1.4)
    lines = wrapped(visit.op, 12, 2)
    label = (*(Text(line, 9) for line in lines), small(visit.channels, 8))
    return Box(visit.name, label, stroke=stroke, fill=PAPER if alone else TINT, at=at, size=CELL)


def strokes(sheet: Sheet) -> list[Line]:
    """Every step of a path, one stroke for each branch that takes it."""
    by_name = {visit.name: visit for visit in sheet.visits}
    found: list[Line] = []
    for visit in sheet.visits:
        if visit.before is None:
            continue
        before = by_name[visit.before]
        for branch in visit.branches:
            start, end = sheet.edge(before, right=True), sheet.edge(visit, right=False)
            way = swung(
                (start[0], start[1] + sheet.offset(branch, before.branches)),
                (end[0], end[1] + sheet.offset(branch, visit.branches)),
            )
            found.append(Line(visit.before, visit.name, stroke=sheet.stroke(branch), arrow=False, way=way))
    return found
