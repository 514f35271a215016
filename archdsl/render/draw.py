"""The picture of an item, of the kind that suits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from archdsl.diff import Figures, Side, side
from archdsl.diff.amounts import short
from archdsl.ir import Graph
from archdsl.render.engine.output import render
from archdsl.render.model.picture import Picture
from archdsl.render.views.cell import cell_picture
from archdsl.render.views.cell_labels import CellQuestions, answers_in, cell_questions, costs_of
from archdsl.render.views.chain_cards import chain_picture
from archdsl.render.views.chains import Layout, asks_exit, layout
from archdsl.render.views.chances import Chances
from archdsl.render.views.network import network_picture
from archdsl.render.views.scopes import Scope, find, names
from archdsl.render.views.trellis import trellis_pictures
from archdsl.space import Program, QuestionPath
from archdsl.space.trace import Answers


class NothingToDraw(Exception):
    """No cell, op, line or chain has this name; `near` are the names most like it, else the first that there are."""

    def __init__(self, name: str, known: Sequence[str], where: str) -> None:
        self.name = name
        self.near = tuple(get_close_matches(name, known, n=4, cutoff=0.5))
        shown = ", ".join(f"`{each}`" for each in (self.near or known[:8]))
        help = f"did you mean {shown}?" if self.near else f"there are {shown}"
        super().__init__(f"`{where}` has no cell, op, line or chain `{name}`: {help}")


class Answered(Protocol):
    """What an item means, as far as pictures want to know."""

    @property
    def answers(self) -> Answers: ...


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


def draw(
    item: Drawable,
    *,
    cell: str | None = None,
    figures: Figures | None = None,
    chances: Mapping[QuestionPath, Mapping[str, float]] | None = None,
) -> Picture:
    """A trellis where there is a grid, else the network by its cells.

    `cell` draws one cell, op or line instead, by its path, its definition or the name under which it shares answers
    (`normal@h1`); or the cells of a chain, by the chain's name. `figures` are those of the network: with them it is
    drawn by its cells, each with its params and MACs. With `chances`, the probability of each answer by question, lines
    of a space are as wide as they are probable. Raises NothingToDraw for an unknown name.
    """
    graph = item.network() if item.closed else item.supernet()
    one = side(item.name, item.program, item.meaning.answers, graph, figures)
    known = None if chances is None else Chances(chances)
    if cell is not None:
        return _cell(item, one, cell, known)
    if figures is None and item.program.trellises:
        return trellis_pictures(one, known)
    return network_picture(one, _layout(item, one), known)


def svg(item: Drawable, *, cell: str | None = None, figures: Figures | None = None) -> str:
    """The picture that `draw` makes of a space or genotype, as SVG text.

    Raises NothingToDraw for an unknown name and ToolMissing without Graphviz.
    """
    return render(draw(item, cell=cell, figures=figures), "svg").decode()


def _layout(item: Drawable, one: Side) -> Layout:
    return layout(one, item.supernet() if one.graph.closed and asks_exit(item.program) else None)


def _cell(item: Drawable, one: Side, name: str, chances: Chances | None) -> Picture:
    """In the network where it is there; else in the space, as a definition that no answer uses."""
    laid = _layout(item, one)
    if (chain := laid.chains.get(name)) is not None:
        return chain_picture(one, laid, chain)
    asked = cell_questions(item.program, laid.parts.cells.values())
    path = next((path for path, each in asked.items() if each.shared_by == name and path in laid.parts.cells), name)
    if (scope := find(one.graph, path)) is not None or (scope := find(one.graph, name)) is not None:
        return _picture(one, scope, asked.get(scope.path), chances)
    if (scope := find(supernet := item.supernet(), name)) is not None:
        return cell_picture(supernet, scope, chances=chances)
    known = [*names(one.graph), *names(item.supernet()), *laid.chains]
    raise NothingToDraw(name, list(dict.fromkeys(known)), item.name)


def _picture(one: Side, scope: Scope, asked: CellQuestions | None, chances: Chances | None) -> Picture:
    given = answers_in(one, asked) if asked is not None else None
    title = asked.shared_by if asked is not None and asked.names(scope.definition) else ""
    costs = costs_of(one.figures)
    mine = [costs[path] for path in scope.nodes if path in costs]
    params, macs = sum(each.params for each in mine), sum(each.macs for each in mine)
    about = [f"{short(params)} params, {short(macs)} MACs"] if costs else []
    return cell_picture(one.graph, scope, given=given, title=title, about=about, chances=chances)
