"""A grid on paper: what a picture of it has to know, worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from archdsl.diff import Side
from archdsl.diff.cells import Cell
from archdsl.ops import Shape
from archdsl.render.model.picture import Point
from archdsl.render.model.style import Stroke, branch_stroke
from archdsl.render.views.grid import CELL, SKIP, Grid
from archdsl.render.views.parts import parts
from archdsl.render.views.surroundings import Outside, outside
from archdsl.render.views.trellis_cells import Visit, visits
from archdsl.space import Place, Trellis

_APART = 4.4
"""Between the strokes of branches that share a step."""


@dataclass(frozen=True)
class Sheet:
    side: Side
    trellis: Trellis

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        return parts(self.side.graph).cells

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        return visits(self.side, self.trellis, self.cells) if self.side.graph.closed else ()

    @cached_property
    def grid(self) -> Grid:
        return Grid.of(self.trellis, self.visits)

    @cached_property
    def spelled(self) -> Mapping[str, Place]:
        return {self.trellis.spell(place): place for place in self.trellis.sources}

    @cached_property
    def inside(self) -> frozenset[str]:
        return frozenset(path for path, cell in self.cells.items() if cell.scope in self.spelled)

    @cached_property
    def outside(self) -> tuple[Outside, ...]:
        """What stands around this grid, up to the next one."""
        found = outside(self.side.graph, self.cells, self.inside)
        near = self.near
        return tuple(each for each in found if each.needed and each.name in near)

    @cached_property
    def near(self) -> frozenset[str]:
        """What the grid reads or is read by, directly or not, without a step through another grid."""
        others = self.in_grids - self.inside
        before, behind = set(self.inside), set(self.inside)
        for path in reversed(list(self.cells)):
            if path in before and path not in others:
                before.update(source for source in self.cells[path].reads if source not in others)
        for path, cell in self.cells.items():
            if path not in others and not behind.isdisjoint(cell.reads):
                behind.add(path)
        return frozenset(before | behind)

    @cached_property
    def in_grids(self) -> frozenset[str]:
        """The cells of all grids."""
        grids = self.side.program.trellises.values()
        places = {trellis.spell(place) for trellis in grids for place in trellis.sources}
        return frozenset(path for path, cell in self.cells.items() if cell.scope in places)

    @cached_property
    def image(self) -> Shape:
        return self.side.graph.node(self.side.graph.images[0]).shape

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The branches of this grid, each with its number among all."""
        branches = enumerate(self.side.program.branches.items())
        return {str(branch): number for number, (branch, ends) in branches if ends.trellis == self.trellis.scope}

    def edge(self, visit: Visit, *, right: bool) -> Point:
        x, y = self.grid.of_visit(visit)
        half = (CELL if visit.cell else SKIP)[0] / 2
        return (x + half if right else x - half, y)

    def offset(self, branch: str, sharing: Sequence[str]) -> float:
        order = sorted(sharing, key=lambda each: self.numbers[each])
        return _APART * ((len(order) - 1) / 2 - order.index(branch))

    def stroke(self, branch: str) -> Stroke:
        return branch_stroke(self.numbers[branch])

    def carrier(self, reader: str, source: str) -> Visit | None:
        """The last place that still has the map which is read: skips hand it on."""
        found = [visit for visit in self.visits if visit.carries == source]
        steps = reader.split(".")
        mine = [visit for visit in found if any(branch in steps for branch in visit.branches)]
        return max(mine or found, key=lambda visit: visit.place[0], default=None)
