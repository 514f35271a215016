"""The label of a cell in the picture of a network: its name, what it is, the maps that it writes, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from archdsl.diff import Figures
from archdsl.diff.amounts import short
from archdsl.diff.cells import Cell, ops_of
from archdsl.diff.model import NodeFigures
from archdsl.ir import Graph
from archdsl.render.model.labels import listed, shown, small, wrapped
from archdsl.render.model.picture import Text
from archdsl.render.views.surroundings import is_image

_NAME_WIDTH = 30
_MOST_LINES = 3

Costs: TypeAlias = "Mapping[str, NodeFigures]"
"""By the path of a node; empty where they are not to be shown."""


def costs_of(figures: Figures | None) -> Costs:
    return {node.path: node for node in figures.nodes} if figures is not None else {}


def label_of(graph: Graph, cell: Cell, costs: Costs, outputs: tuple[str, ...] = ()) -> tuple[Text, ...]:
    """Name, ops, the maps that it writes, and what it costs."""
    if is_image(graph, cell.path):
        return (Text(cell.path, bold=True), small(str(graph.node(cell.path).shape)))
    label = [Text(line, bold=True) for line in wrapped(cell.path, _NAME_WIDTH)]
    label += [Text(line, 9) for line in _inside(graph, cell)]
    label += [small(maps(graph, cell)), *(small(line) for line in spent(costs, cell))]
    return (*label, *(Text(f"out {output}", 9) for output in outputs))


def maps(graph: Graph, cell: Cell) -> str:
    """The maps that a cell writes, equal ones once."""
    image = graph.node(graph.images[0]).shape
    return ", ".join(dict.fromkeys(shown(graph.node(path).shape, image) for path in cell.outputs))


def spent(costs: Costs, cell: Cell) -> list[str]:
    """Nothing for a cell that is not there at inference, or has no weights and multiplies nothing."""
    mine = [costs[path] for path in cell.nodes if path in costs]
    params, macs = sum(each.params for each in mine), sum(each.macs for each in mine)
    return [f"{short(params)} params, {short(macs)} MACs"] if params or macs else []


def _inside(graph: Graph, cell: Cell) -> list[str]:
    """Its ops, in a few lines; of a cell with questions what it is, for it holds every candidate."""
    if not graph.closed and cell.definition:
        return [cell.definition]
    ops = ops_of(graph, cell)
    lines = listed(ops.split(", "), _NAME_WIDTH) if ops else []
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "…"]
