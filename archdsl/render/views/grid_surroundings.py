"""What stands left and right of a grid, and what it reads of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import INK, MUTED, PAPER, Box, Dash, Line, Point, Stroke, Text
from archdsl.render.model.splines import bent, swung
from archdsl.render.views.parts import Outside, is_image
from archdsl.render.views.shares import coloured
from archdsl.render.views.trellis_layout import CELL, SKIP, TrellisLayout, Visit
from archdsl.space import Place, Result

_HEAD = Stroke(MUTED, Dash.SOLID, 1.3)
EARLIER = Stroke(MUTED, Dash.DOTTED, 1.3)
"""A map that the grid has left behind."""
_SIDE: Point = (92, 39)
_SIDE_COLUMN = 114.0
_LETTERS = 16
"""Of a line in such a box."""


@dataclass(frozen=True)
class GridSurroundings:
    """Stem, heads and outputs around a grid."""

    layout: TrellisLayout

    @cached_property
    def places(self) -> Mapping[str, Point]:
        """Where the boxes outside of the grid stand."""
        columns: dict[int, list[Outside]] = {}
        for each in self.layout.outside:
            columns.setdefault(each.depth, []).append(each)
        found: dict[str, Point] = {}
        first = self.layout.grid.centre(min(self.layout.trellis.sources))[1]
        for depth in sorted(columns, key=abs):
            column = columns[depth]
            if depth < 0:
                x = self.layout.grid.left - 52 + (depth + 0.5) * _SIDE_COLUMN * 0.9
                ys = [first - number * (self.size[1] + 11) for number in range(len(column))]
            else:
                x = self.layout.grid.right + 34 + (depth - 0.5) * _SIDE_COLUMN
                column.sort(key=lambda each: -self.middle(each, found))
                ys = self.spread([self.middle(each, found) for each in column])
            found |= {each.name: (x, y) for each, y in zip(column, ys, strict=True)}
        return found

    def middle(self, each: Outside, known: Mapping[str, Point]) -> float:
        ys = [y for source in each.reads if (y := self.height(each.name, source, known)) is not None]
        return sum(ys) / len(ys) if ys else 0.0

    def height(self, reader: str, source: str, known: Mapping[str, Point]) -> float | None:
        if source in known:
            return known[source][1]
        if (visit := self.layout.carrier(reader, source)) is not None:
            return self.layout.grid.of_visit(visit)[1]
        return (
            self.layout.grid.centre(self.layout.spelled[self.layout.cells[source].scope])[1]
            if source in self.layout.inside
            else None
        )

    def spread(self, wanted: list[float]) -> list[float]:
        """Heights in falling order, at least a box apart, around where they want to be."""
        apart = self.size[1] + 16
        found: list[float] = []
        for y in wanted:
            found.append(min(y, found[-1] - apart) if found else y)
        shift = (sum(wanted) - sum(found)) / len(wanted)
        return [y + shift for y in found]

    def boxes(self) -> list[Box]:
        return [self.box_of(each) for each in self.layout.outside]

    def box_of(self, each: Outside) -> Box:
        stroke = Stroke(INK, Dash.DASHED if each.auxiliary else Dash.SOLID, 1.1)
        if is_image(self.layout.side.graph, each.name):
            label: tuple[Text, ...] = (*_lines(each.name), small(str(self.layout.image)))
        else:
            label = _lines(each.definition, f"of {self.told_by(each)}") if each.definition else _lines(each.name)
            if (places := self._ends_of(each.name)) is not None:
                label = (*_lines(f"branch {each.name}")[:1], *_lines(f"ends at {', '.join(places)}"))
            label += tuple(
                small(f"{'aux' if each.auxiliary else 'out'} {self.shape_of(output)}") for output in each.outputs
            )
        fill, nodes = PAPER, self.layout.cells[each.name].nodes
        if (shares := self.layout.shares) is not None and (swatch := shares.swatch(nodes)) is not None:
            label, fill = coloured((*label, small(shares.brief(nodes))), swatch), swatch.fill
        return Box(each.name, label, stroke=stroke, fill=fill, at=self.places[each.name], size=self.size)

    @property
    def size(self) -> Point:
        return self.layout.with_cost(_SIDE)

    def told_by(self, each: Outside) -> str:
        """What tells a cell from others of its definition: its name, else its branch or the step around it."""
        *around, last = self.layout.parts.frames[each.name]
        if last.name != each.definition:
            return last.name
        return last.branch or "+".join(last.owners) or (around[-1].name if around else last.name)

    def _ends_of(self, name: str) -> Iterable[str] | None:
        """The answers where a branch ends, if a box stands for one."""
        branches = self.layout.side.program.branches
        return next((ends.places for branch, ends in branches.items() if str(branch) == name), None)

    def shape_of(self, output: str) -> str:
        graph = self.layout.side.graph
        return next(str(graph.node(path).shape) for path, result in graph.with_payload(Result) if result.name == output)

    def lines(self) -> list[Line]:
        return [*self.into_grid(), *self.between_outside(), *self.out_of_grid()]

    def into_grid(self) -> list[Line]:
        """From what stands before the grid to the cells that begin it."""
        starts = [visit for visit in self.layout.visits if visit.before is None]
        found: list[Line] = []
        for source in (each for each in self.layout.outside if each.depth < 0):
            for visit in starts:
                if source.name not in self.layout.reads[self.layout.trellis.spell(visit.place)]:
                    continue
                end = self.layout.edge(visit, right=False)
                if not visit.branches:
                    found.append(Line(source.name, visit.name, stroke=_HEAD, way=self.entering(source, end)))
                for branch in visit.branches:
                    offset, stroke = self.layout.offset(branch, visit.branches), self.layout.stroke(branch)
                    way = self.entering(source, (end[0], end[1] + offset), offset)
                    found.append(Line(source.name, visit.name, stroke=stroke, arrow=False, way=way))
            for place in () if starts else self.beginnings:
                spelled = self.layout.trellis.spell(place)
                if source.name in self.layout.reads[spelled]:
                    x, y = self.layout.grid.centre(place)
                    way = self.entering(source, (x - CELL[0] / 2, y))
                    found.append(Line(source.name, spelled, stroke=_HEAD, way=way))
        return found

    @property
    def beginnings(self) -> Iterable[Place]:
        """Where a path can begin; in a grid without branches any place may read what stands before it."""
        return self.layout.trellis.starts if self.layout.numbers else self.layout.trellis.sources

    def entering(self, source: Outside, end: Point, offset: float = 0.0) -> tuple[Point, ...]:
        """Straight from the box next to the grid; from one behind it over those between."""
        x, y = self.places[source.name]
        if source.depth == -1:
            return swung((x + _SIDE[0] / 2, y + offset), end)
        top = y + self.size[1] / 2
        lane = top + 14 + offset - 5 * source.depth
        before = end[0] - 12 - offset
        return bent(((x, top), (x, lane), (before, lane), (before, end[1] + 6), (end[0], end[1] + 6)))

    def between_outside(self) -> list[Line]:
        found: list[Line] = []
        for each in self.layout.outside:
            for source in each.reads:
                if source not in self.places:
                    continue
                start, end = self.places[source], self.places[each.name]
                way = swung((start[0] + _SIDE[0] / 2, start[1]), (end[0] - _SIDE[0] / 2, self.port(each, source)))
                found.append(Line(source, each.name, stroke=self.outer_stroke(each), way=way))
        return found

    def outer_stroke(self, each: Outside) -> Stroke:
        return Stroke(MUTED, Dash.DASHED, 1.0) if each.auxiliary else _HEAD

    def port(self, each: Outside, source: str) -> float:
        """Where on its left side a box is entered from: in the order of the heights of its sources."""
        order = sorted(each.reads, key=lambda name: -(self.height(each.name, name, self.places) or 0))
        return self.places[each.name][1] + 9 * ((len(order) - 1) / 2 - order.index(source))

    def out_of_grid(self) -> list[Line]:
        found: list[Line] = []
        used: dict[Place, int] = {}
        for each in self.layout.outside:
            for source in each.reads:
                visit = self.layout.carrier(each.name, source) or self.asking(source)
                if visit is None:
                    continue
                end = (self.places[each.name][0] - _SIDE[0] / 2, self.port(each, source))
                start = self.layout.edge(visit, right=True)
                if visit.place[0] == self.layout.grid.columns[-1]:
                    stroke = Stroke(self.layout.stroke_of(visit).colour, self.outer_stroke(each).dash, 1.5)
                    found.append(Line(visit.name, each.name, stroke=stroke, way=swung(start, end)))
                    continue
                number = used.get(visit.place[1:], 0)
                used[visit.place[1:]] = number + 1
                found.append(Line(visit.name, each.name, stroke=EARLIER, way=self.over(visit, end, number)))
        return found + self.ends()

    def asking(self, source: str) -> Visit | None:
        """The place of a cell in a grid without branches, as long as it asks questions."""
        place = self.layout.spelled.get(self.layout.cells[source].scope)
        if place is None or self.layout.visits or self.layout.numbers:
            return None
        spelled = self.layout.trellis.spell(place)
        return Visit(place, spelled, (), spelled, self.layout.cells[source].nodes, source, "", "", None)

    def over(self, visit: Visit, end: Point, number: int) -> tuple[Point, ...]:
        """Out of its row on the nearer side, and behind the grid to the head."""
        x, y = self.layout.grid.of_visit(visit)
        row = visit.place[1:]
        up = 1 if y >= self.layout.grid.heights[row] else -1
        edge = self.layout.grid.above(row) if up > 0 else self.layout.grid.below(row)
        lane = edge + up * (9 + 6 * number)
        right = self.layout.grid.right + 10 + 6 * (2 * self.layout.grid.rows.index(row) + number)
        start = (x + 6 * number, y + up * (self.layout.cell_size if visit.cell else SKIP)[1] / 2)
        return bent((start, (start[0], lane), (right, lane), (right, end[1]), end))

    def ends(self) -> list[Line]:
        """Where each branch may end, as long as that is open."""
        if self.layout.visits:
            return []
        found: list[Line] = []
        for owner, ends in self.layout.side.program.branches.items():
            branch = str(owner)
            if branch not in self.places or branch not in self.layout.numbers:
                continue
            x, y = self.places[branch]
            for place in ends.places.values():
                start = self.layout.grid.centre(place)
                way = swung((start[0] + CELL[0] / 2, start[1]), (x - _SIDE[0] / 2, y))
                found.append(Line(self.layout.trellis.spell(place), branch, stroke=self.layout.stroke(branch), way=way))
        return found


def _lines(*names: str) -> tuple[Text, ...]:
    """Names as a box has room for them: one in two lines, of two a line each."""
    found = [line for name in names for line in wrapped(name, _LETTERS, 2 if len(names) == 1 else 1)]
    return tuple(Text(line, 9) for line in found)
