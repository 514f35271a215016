"""A whole network by its cells: one box a cell, from the image down to the outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from archdsl.diff import Figures, Side
from archdsl.diff.amounts import short
from archdsl.diff.cells import Cell, cells, ops_of
from archdsl.diff.model import NodeFigures
from archdsl.ir import Graph
from archdsl.render.labels import listed, shown, small, wrapped
from archdsl.render.picture import Box, Flow, Line, Picture, Text
from archdsl.render.style import INK, MUTED, PAPER, TINT, Dash, Stroke
from archdsl.render.surroundings import Outside, is_image, outside

_NAME_WIDTH = 30
_MOST_LINES = 3

Costs: TypeAlias = "Mapping[str, NodeFigures]"
"""By the path of a node; empty where they are not to be shown."""


def network_picture(side: Side) -> Picture:
    """The picture of a network; with the params and MACs of each cell where the side has figures."""
    found = cells(side.graph)
    shown_cells = outside(side.graph, found, frozenset())
    costs = _by_node(side.figures)
    boxes = tuple(_box(side, found[each.name], each, costs) for each in shown_cells)
    names = {each.name for each in shown_cells}
    lines = tuple(
        Line(source, each.name, stroke=_stroke(each))
        for each in shown_cells
        for source in each.reads
        if source in names
    )
    return Picture(
        side.name, boxes, lines, Flow.DOWN, heading=_heading(side, any(each.auxiliary for each in shown_cells))
    )


def _heading(side: Side, auxiliary: bool) -> tuple[Text, ...]:
    kind = f"of {side.program.name}" if side.program.name != side.name else "a network"
    if not side.graph.closed:
        kind = f"a space of {len(side.program.questions)} questions"
    found = [Text(side.name, 14, bold=True), small(kind, 9)]
    if side.figures is not None:
        found.append(small(f"{short(side.figures.params)} params, {short(side.figures.macs)} MACs at inference", 9))
    if auxiliary:
        found.append(small("dashed: auxiliary, trained with and not exported", 9))
    return (*found, small(" ", 6))


def _stroke(each: Outside) -> Stroke:
    return Stroke(MUTED, Dash.DASHED, 1.0) if each.auxiliary else Stroke(INK, width=1.0)


def _box(side: Side, cell: Cell, each: Outside, costs: Costs) -> Box:
    return Box(each.name, label_of(side.graph, cell, costs, each.outputs), stroke=_stroke(each), fill=_fill(side, each))


def _fill(side: Side, each: Outside) -> str:
    return TINT if is_image(side.graph, each.name) else PAPER


def label_of(graph: Graph, cell: Cell, costs: Costs, outputs: tuple[str, ...] = ()) -> tuple[Text, ...]:
    """Name, ops, the maps that it writes, and what it costs."""
    if is_image(graph, cell.path):
        return (Text(cell.path, bold=True), small(str(graph.node(cell.path).shape)))
    image = graph.node(graph.images[0]).shape
    maps = ", ".join(dict.fromkeys(shown(graph.node(path).shape, image) for path in cell.outputs))
    label = [Text(line, bold=True) for line in wrapped(cell.path, _NAME_WIDTH)]
    label += [Text(line, 9) for line in _inside(graph, cell)]
    label += [small(maps), *(small(line) for line in _spent(costs, cell))]
    return (*label, *(Text(f"out {output}", 9) for output in outputs))


def _inside(graph: Graph, cell: Cell) -> list[str]:
    """Its ops, in a few lines; of a cell with questions what it is, for it holds every candidate."""
    if not graph.closed and cell.definition:
        return [cell.definition]
    ops = ops_of(graph, cell)
    lines = listed(ops.split(", "), _NAME_WIDTH) if ops else []
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "…"]


def _spent(costs: Costs, cell: Cell) -> list[str]:
    """Nothing for a cell that is not there at inference, or has no weights and multiplies nothing."""
    mine = [costs[path] for path in cell.nodes if path in costs]
    params, macs = sum(each.params for each in mine), sum(each.macs for each in mine)
    return [f"{short(params)} params, {short(macs)} MACs"] if params or macs else []


def _by_node(figures: Figures | None) -> Costs:
    return {node.path: node for node in figures.nodes} if figures is not None else {}
