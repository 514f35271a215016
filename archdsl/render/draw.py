"""The picture of an item, of the kind that suits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Protocol

from archdsl.cost.node_costs import NodeCosts
from archdsl.diff import Side, side
from archdsl.ir import Graph
from archdsl.render.engine.output import render
from archdsl.render.model.picture import Picture
from archdsl.render.views.cell import cell_picture, cell_title
from archdsl.render.views.cell_labels import CellQuestions, answers_in, cell_questions
from archdsl.render.views.chain_cards import chain_picture
from archdsl.render.views.chains import Layout, asks_exit, layout
from archdsl.render.views.chances import Chances
from archdsl.render.views.network import network_picture
from archdsl.render.views.scopes import Scope, find, names
from archdsl.render.views.shares import Shares, percent, spelled
from archdsl.render.views.trellis import trellis_picture, trellis_pictures
from archdsl.space import FrameKind, Program, QuestionPath
from archdsl.space.trace import Answers


class NothingToDraw(Exception):
    """No cell, op, line or chain has this name; `near` are the names most like it, else the first that there are."""

    def __init__(self, name: str, known: Sequence[str], where: str) -> None:
        self.name = name
        self.near = tuple(get_close_matches(name, known, n=4, cutoff=0.5))
        shown = ", ".join(f"`{each}`" for each in (self.near or known[:8]))
        help = f"did you mean {shown}?" if self.near else f"there are {shown}"
        super().__init__(f"`{where}` has no cell, op, line or chain `{name}`: {help}")


class NotApart(Exception):
    """The inside of an op, of which costs are known as a whole alone."""

    def __init__(self, path: str, op: str) -> None:
        super().__init__(
            f"`{path}` stands in the op `{op}`, which is one row of a cost table: draw the cell around it, or the op "
            "with `--costs macs`"
        )


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
    costs: NodeCosts | None = None,
    chances: Mapping[QuestionPath, Mapping[str, float]] | None = None,
) -> Picture:
    """A trellis where there is a grid, else the network by its cells.

    `cell` draws one cell, op or line instead, by its path, its definition or the name under which it shares answers
    (`normal@h1`); or the cells of a chain, by the chain's name. `costs` are those of a network: boxes and ops are
    coloured by their share of them. With `chances`, the probability of each answer by question, lines of a space are as
    wide as they are probable. Raises NothingToDraw for an unknown name, NotApart for the inside of an op where costs
    are known of whole ops alone.
    """
    return Sheet(item).draw(cell=cell, costs=costs, chances=chances)


@dataclass(frozen=True)
class Sheet:
    """An item of which several pictures are drawn: what they have in common is found once."""

    item: Drawable

    def draw(
        self,
        *,
        cell: str | None = None,
        costs: NodeCosts | None = None,
        chances: Mapping[QuestionPath, Mapping[str, float]] | None = None,
    ) -> Picture:
        """As the function `draw`."""
        known = None if chances is None else Chances(chances)
        if cell is not None:
            return self._cell(cell, known, costs)
        match list(self.item.program.trellises.values()):
            case []:
                pass
            case [trellis]:
                return trellis_picture(self._side, trellis, known, costs)
            case _ if costs is None:
                return trellis_pictures(self._side, known)
            case _:
                pass  # Between two grids there is what each picture of a grid would show.
        return network_picture(self._side, self._layout, known, costs)

    @property
    def asking(self) -> tuple[str, ...]:
        """The cells that ask questions, for `cell` of `draw`; of those that share their answers one.

        Places of grids are not among them: the picture of the whole has their questions.
        """
        grids = {step.structure for trellis in self.item.program.trellises.values() for step in trellis.scope[-1:]}
        shared = {each.shared_by: each.scope for path, each in self._asked.items() if path in self._layout.parts.cells}
        return tuple(name for name, scope in shared.items() if not {step.structure for step in scope} & grids)

    @cached_property
    def _side(self) -> Side:
        item = self.item
        return side(item.name, item.program, item.meaning.answers, item.network() if item.closed else self._supernet)

    @cached_property
    def _supernet(self) -> Graph:
        return self.item.supernet()

    @cached_property
    def _layout(self) -> Layout:
        return layout(self._side, self._supernet if self._side.graph.closed and asks_exit(self.item.program) else None)

    @cached_property
    def _asked(self) -> Mapping[str, CellQuestions]:
        return cell_questions(self.item.program, self._layout.parts.cells.values())

    def _cell(self, name: str, chances: Chances | None, costs: NodeCosts | None) -> Picture:
        """In the network where it is there; else in the space, as a definition that no answer uses."""
        one, laid, asked = self._side, self._layout, self._asked
        if (chain := laid.chains.get(name)) is not None:
            return chain_picture(one, laid, chain, costs)
        path = next((path for path, each in asked.items() if each.shared_by == name and path in laid.parts.cells), name)
        if (scope := find(one.graph, path)) is not None or (scope := find(one.graph, name)) is not None:
            if laid.stands_around(scope.path, scope.nodes):
                about = cell_title(scope, "")
                return network_picture(one, laid, chances, costs, within=scope, title=about)
            return _picture(one, scope, asked.get(scope.path), chances, costs)
        if (scope := find(self._supernet, name)) is not None:
            return cell_picture(self._supernet, scope, chances=chances)
        known = [*names(one.graph), *names(self._supernet), *laid.chains]
        raise NothingToDraw(name, list(dict.fromkeys(known)), self.item.name)


def svg(item: Drawable, *, cell: str | None = None, costs: NodeCosts | None = None) -> str:
    """The picture that `draw` makes of a space or genotype, as SVG text.

    Raises NothingToDraw for an unknown name, NotApart, and ToolMissing without Graphviz.
    """
    return render(draw(item, cell=cell, costs=costs), "svg").decode()


def _picture(
    one: Side, scope: Scope, asked: CellQuestions | None, chances: Chances | None, costs: NodeCosts | None
) -> Picture:
    given = answers_in(one, asked) if asked is not None else None
    title = asked.shared_by if asked is not None and asked.names(scope.definition) else ""
    about: list[str] = []
    if costs is not None:
        frames = one.graph.scopes[scope.path].frames
        op = next((frame for frame in frames if frame.kind is FrameKind.OP), None)
        if costs.whole_ops and op is not None:
            raise NotApart(scope.path, op.definition)
        network, mine = Shares(costs, costs.total), Shares.of(costs, scope.nodes)
        share = percent(network.share(scope.nodes) or 0.0)
        about = [f"{share} of the {spelled(network.whole, costs.unit)} of {one.name}", mine.about(title or scope.path)]
    return cell_picture(one.graph, scope, given=given, title=title, about=about, chances=chances, costs=costs)
