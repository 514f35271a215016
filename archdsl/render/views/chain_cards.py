"""The cells of a chain, each with its own ops, in rows (GAS, figure 7); neighbours that are alike once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.cost.node_costs import NodeCosts
from archdsl.diff import Side
from archdsl.ir import Graph
from archdsl.render.model.labels import small
from archdsl.render.model.picture import INK, Box, Dash, Group, Line, Picture, Stroke, Text
from archdsl.render.views.cell import CellDrawing
from archdsl.render.views.cell_labels import answers_in, cell_questions, cost_lines, maps
from archdsl.render.views.chains import Chain, Fold, Layout, fold_key, runs
from archdsl.render.views.legends import named_sets, set_legend
from archdsl.render.views.scopes import find
from archdsl.render.views.shares import Shares

_IN_A_ROW = 3
_AFTER = Stroke(INK, Dash.HIDDEN)


def chain_picture(side: Side, layout: Layout, chain: Chain, costs: NodeCosts | None = None) -> Picture:
    """The insides of a chain's cells, in order; of a hyper-cell without those behind its exit."""
    found = layout.parts.cells
    asked = cell_questions(side.program, found.values())
    computed = [path for path in chain.cells if not chain.behind(path)]
    shares = None if costs is None else Shares.of(costs, [node for path in computed for node in found[path].nodes])
    keys = {path: fold_key(side, layout, found[path], asked.get(path), shares) for path in computed}
    cards: list[tuple[CellDrawing, Group]] = []
    for fold in runs(layout.parts, computed, keys):
        path = fold.cells[0]
        scope = find(side.graph, path)
        assert scope is not None
        mine = asked.get(path)
        times = len(fold.cells)
        drawing = CellDrawing(
            side.graph,
            scope,
            answers_in(side, mine) if mine else {},
            f"{fold.path}: ",
            small=True,
            shares=shares,
            times=times,
        )
        what = mine.shared_by if mine is not None and mine.shared_by != path else found[path].definition
        heading = [Text(_title(fold), 11, bold=True), small(f"{what}, {maps(side.graph, found[path])}", 9)]
        heading += [small(line) for line in cost_lines(shares, found[path], times)]
        names = tuple(box.name for box in drawing.boxes())
        cards.append((drawing, Group(fold.path, tuple(heading), names)))
    letters = named_sets([names for drawing, _ in cards for names in drawing.sets()])
    boxes = [drawing.boxes() for drawing, _ in cards]
    lines = [line for drawing, _ in cards for line in drawing.lines(letters)]
    rows = [boxes[start : start + _IN_A_ROW] for start in range(0, len(boxes), _IN_A_ROW)]
    heading = [
        Text(chain.path, 14, bold=True),
        small(_about(side.graph, chain), 9),
        *([] if shares is None else [small(shares.about(chain.path), 9)]),
        *set_legend(letters),
        small(" ", 6),
    ]
    return Picture(
        f"{side.name} {chain.path}",
        tuple(box for row in reversed(rows) for card in row for box in card),  # Graphviz stacks them from below
        (*lines, *(line for row in rows for line in _side_by_side(row))),
        heading=tuple(heading),
        scale=() if shares is None else shares.legend(),
        groups=tuple(group for _, group in cards),
    )


def _title(fold: Fold) -> str:
    """The place in the chain; the title of the picture says where that stands."""
    return fold.name + (f" ×{len(fold.cells)}" if len(fold.cells) > 1 else "")


def _about(graph: Graph, chain: Chain) -> str:
    count = f"{len(chain.cells)} cells"
    if chain.taken is not None:
        behind = [path for path in chain.cells if chain.behind(path)]
        return f"exit {chain.taken}" + (f"; {behind[0]} to {behind[-1]} lie behind it" if behind else "")
    return f"{count}, neighbours that are alike drawn once" + ("" if graph.closed else "; dashed: to be answered")


def _side_by_side(row: Sequence[Sequence[Box]]) -> list[Line]:
    """Hidden lines from the end of a card to the beginning of the next."""
    return [Line(before[-1].name, after[0].name, stroke=_AFTER) for before, after in pairwise(row)]
