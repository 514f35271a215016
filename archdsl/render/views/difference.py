"""Two networks on one sheet: laid out on their union, so that equal cells stand at equal places."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diff import Change, Difference
from archdsl.diff.amounts import short, signed
from archdsl.diff.cells import Cell, cells
from archdsl.diff.model import CellChange, Side
from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import MUTED, Box, Dash, Flow, Line, Picture, Stroke, Text
from archdsl.render.views.cell_labels import label_of
from archdsl.render.views.parts import is_result

_STROKES = {
    Change.SAME: Stroke(MUTED, Dash.SOLID, 0.8),
    Change.REWIRED: Stroke(MUTED, Dash.SOLID, 0.8),
    Change.CHANGED: Stroke("#A66A00", Dash.SOLID, 2.0),
    Change.ADDED: Stroke("#1B7F3B", Dash.SOLID, 2.6),
    Change.REMOVED: Stroke("#B3261E", Dash.DASHED, 1.8),
}
_FILLS = {Change.CHANGED: "#FFF4DC", Change.ADDED: "#E3F4E7", Change.REMOVED: "#FBE6E4"}
_MARKS = {Change.CHANGED: "~", Change.ADDED: "+", Change.REMOVED: "-"}


def difference_picture(difference: Difference) -> Picture:
    """The picture of a difference by cells: green and `+`, red, dashed and `-`, amber and `~`."""
    kept = [cell for cell in difference.cells if not is_result(_side(difference, cell).graph, cell.path)]
    names = {path: cell.path for cell in kept for path in (cell.before, cell.after) if path is not None}
    found = (cells(difference.before.graph), cells(difference.after.graph))
    boxes = tuple(_box(difference, cell, found[cell.after is not None]) for cell in kept)
    return Picture(
        f"{difference.before.name} -> {difference.after.name}",
        boxes,
        tuple(_lines(difference, kept, names)),
        Flow.DOWN,
        heading=_heading(difference),
    )


def _heading(difference: Difference) -> tuple[Text, ...]:
    before, after = difference.before.name, difference.after.name
    title = after if before == after else f"{before} → {after}"
    found = [Text(title, 14, bold=True)]
    if difference.totals is not None:
        was, now = difference.totals.before, difference.totals.after
        params = f"params {short(was.params)} → {short(now.params)}"
        found.append(small(f"{params}     MACs {short(was.macs)} → {short(now.macs)}", 9))
    for change, words in (
        (Change.ADDED, "+ added, thick line"),
        (Change.REMOVED, "- removed, dashed line"),
        (Change.CHANGED, "~ changed"),
    ):
        found.append(Text(words, 9, colour=_STROKES[change].colour))
    return (*found, small(" ", 6))


def _box(difference: Difference, cell: CellChange, found: Mapping[str, Cell]) -> Box:
    side = _side(difference, cell)
    label = label_of(side.graph, found[cell.path])
    mark = _MARKS.get(cell.change)
    if mark is not None:
        label = (Text(f"{mark} {label[0].text}", bold=True), *label[1:])
    if cell.renamed and cell.change is not Change.CHANGED:
        label = (*label, small(f"was {cell.before}"))
    if cell.change is Change.CHANGED:
        label = (*label, *(Text(line, 8) for line in wrapped(f"{cell.aspect}: {cell.detail}", 44)))
    if cell.cost and mark is not None:
        label = (*label, Text(f"{signed(cell.cost.params)} params, {signed(cell.cost.macs)} MACs", 8))
    fill = _FILLS.get(cell.change, "#ffffff")
    return Box(cell.path, label, stroke=_STROKES[cell.change], fill=fill)


def _side(difference: Difference, cell: CellChange) -> Side:
    """The side whose cell is drawn."""
    return difference.before if cell.after is None else difference.after


def _lines(difference: Difference, kept: list[CellChange], names: Mapping[str, str]) -> list[Line]:
    """The edges of both networks, each once."""
    old, new = _edges(difference.before, names), _edges(difference.after, names)
    found: list[Line] = []
    for edge in {**new, **old}:
        if edge in old and edge in new:
            found.append(Line(*edge, stroke=_STROKES[Change.SAME]))
        else:
            change = Change.ADDED if edge in new else Change.REMOVED
            label = (Text(_MARKS[change], 12, bold=True, colour=_STROKES[change].colour),)
            found.append(Line(*edge, label, _STROKES[change]))
    return found


def _edges(side: Side, names: Mapping[str, str]) -> dict[tuple[str, str], None]:
    return {
        (names[source], names[path]): None
        for path, cell in cells(side.graph).items()
        if path in names
        for source in cell.reads
        if source in names
    }
