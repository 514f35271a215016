"""The picture of an item, of the kind that suits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from archdsl.diff import Figures, side
from archdsl.ir import Graph
from archdsl.render.cell import cell_picture
from archdsl.render.failures import NothingToDraw
from archdsl.render.network import network_picture
from archdsl.render.picture import Picture
from archdsl.render.scopes import find, names
from archdsl.render.trellis import trellis_picture
from archdsl.space import Program


class Answered(Protocol):
    """What an item means, as far as pictures want to know."""

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]: ...


class Drawable(Protocol):
    """A space or a genotype: `archdsl.pipeline.load` gives one."""

    @property
    def name(self) -> str: ...
    @property
    def program(self) -> Program: ...
    @property
    def meaning(self) -> Answered: ...
    @property
    def closed(self) -> bool: ...
    def network(self) -> Graph: ...
    def supernet(self) -> Graph: ...


def draw(item: Drawable, *, cell: str | None = None, figures: Figures | None = None) -> Picture:
    """A trellis where there is a grid, else the network by its cells.

    `cell` draws one cell, op or line instead, by its path or its definition. `figures` are those of the network:
    with them it is drawn by its cells, each with its params and MACs. Raises NothingToDraw for an unknown name.
    """
    graph = item.network() if item.closed else item.supernet()
    if cell is not None:
        return _cell(item, graph, cell)
    one = side(item.name, item.program, item.meaning.answers, graph, figures)
    if figures is None and item.program.trellises:
        return trellis_picture(one, next(iter(item.program.trellises.values())))
    return network_picture(one)


def _cell(item: Drawable, graph: Graph, name: str) -> Picture:
    """In the network where it is there; else in the space, as a definition that no answer uses."""
    for each in (graph, item.supernet()):
        if (scope := find(each, name)) is not None:
            return cell_picture(each, scope)
    raise NothingToDraw(name, list(dict.fromkeys([*names(graph), *names(item.supernet())])), item.name)
