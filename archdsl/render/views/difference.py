"""Two networks on one sheet: laid out on their union, so that equal cells stand at equal places."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diff import Change, Difference
from archdsl.diff.amounts import signed
from archdsl.diff.cells import Cell, cells
from archdsl.diff.model import CellChange, Side
from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import Box, Flow, Line, Picture, Text
from archdsl.render.views.cell_labels import label_of
from archdsl.render.views.change_marks import FILLS, MARKS, STROKES, amounts, explained
from archdsl.render.views.parts import is_result
from archdsl.render.views.trellis_difference import one_trellis, trellis_difference


def difference_picture(difference: Difference) -> Picture:
    """The picture of a difference: green and `+`, red, dashed and `-`, amber and `~`.

    Of two networks of one grid it is that grid with the paths of both; else a graph of cells.
    """
    if (trellis := one_trellis(difference)) is not None:
        return trellis_difference(difference, trellis)
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
        found.append(small(amounts(difference.totals), 9))
    found += [Text(words, 9, colour=STROKES[change].colour) for change, words in explained()]
    return (*found, small(" ", 6))


def _box(difference: Difference, cell: CellChange, found: Mapping[str, Cell]) -> Box:
    side = _side(difference, cell)
    label = label_of(side.graph, found[cell.path])
    mark = MARKS.get(cell.change)
    if mark is not None:
        label = (Text(f"{mark} {label[0].text}", bold=True), *label[1:])
    if cell.renamed and cell.change is not Change.CHANGED:
        label = (*label, small(f"was {cell.before}"))
    if cell.change is Change.CHANGED:
        label = (*label, *(Text(line, 8) for line in wrapped(f"{cell.aspect}: {cell.detail}", 44)))
    if cell.cost and mark is not None:
        label = (*label, Text(f"{signed(cell.cost.params)} params, {signed(cell.cost.macs)} MACs", 8))
    fill = FILLS.get(cell.change, "#ffffff")
    return Box(cell.path, label, stroke=STROKES[cell.change], fill=fill)


def _side(difference: Difference, cell: CellChange) -> Side:
    """The side whose cell is drawn."""
    return difference.before if cell.after is None else difference.after


def _lines(difference: Difference, kept: list[CellChange], names: Mapping[str, str]) -> list[Line]:
    """The edges of both networks, each once."""
    old, new = _edges(difference.before, names), _edges(difference.after, names)
    found: list[Line] = []
    for edge in {**new, **old}:
        if edge in old and edge in new:
            found.append(Line(*edge, stroke=STROKES[Change.SAME]))
        else:
            change = Change.ADDED if edge in new else Change.REMOVED
            label = (Text(MARKS[change], 12, bold=True, colour=STROKES[change].colour),)
            found.append(Line(*edge, label, STROKES[change]))
    return found


def _edges(side: Side, names: Mapping[str, str]) -> dict[tuple[str, str], None]:
    return {
        (names[source], names[path]): None
        for path, cell in cells(side.graph).items()
        if path in names
        for source in cell.reads
        if source in names
    }
