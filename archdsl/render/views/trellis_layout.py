"""A grid on paper: the cells that each branch visits, and the coordinates of places, lanes and strokes.

Layers run from left to right, the other index from top to bottom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from archdsl.diff import Side
from archdsl.diff.cells import Cell, maps_read, ops_of
from archdsl.diff.routes import route
from archdsl.ir import ClosedNode
from archdsl.ops import Shape
from archdsl.render.model.picture import INK, Point, Stroke, branch_stroke
from archdsl.render.views.parts import Outside, Parts, outside, parts
from archdsl.render.views.shares import Shares
from archdsl.space import Branch, Frame, FrameKind, Place, QuestionKind, Trellis

CELL: Point = (68, 39)
SKIP: Point = (36, 20)
"""A place that hands its map on."""
COLUMN = 86.0
LANE = 46.0
"""The height that one cell takes; branches that pass a row side by side have a lane each."""
COST = 14.0
"""What a line with its cost adds to a box."""
GAP = 44.0
_APART = 4.4
"""Between the strokes of branches that share a step."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A cell at a place, or a skip that leaves no cell, with the branches that compute it together."""

    place: Place
    name: str
    """Unique: the cell's path, or the place's where nothing is computed."""
    branches: tuple[str, ...]
    cell: str | None
    """The part that gives the place's map: the last one that is computed there."""
    nodes: tuple[str, ...]
    """All that is computed there; beginnings that branches share are parts of their own."""
    carries: str | None
    """The cell whose map leaves the place: its own, or that before a skip."""
    op: str
    channels: str
    before: str | None
    """The visit that each of its branches comes from."""


def visits(side: Side, trellis: Trellis, found: Mapping[str, Cell]) -> tuple[Visit, ...]:
    """Every visit of a closed network, place by place along each branch; shared ones once.

    Of a grid without branches each place that computes something, which is visited by none.
    """
    if not any(ends.trellis == trellis.scope for ends in side.program.branches.values()):
        cells = {place: _at(trellis, found, place) for place in trellis.sources}
        return tuple(_visit(side, trellis, None, place, here, None) for place, here in cells.items() if here)
    known: dict[tuple[object, ...], Visit] = {}
    for branch, ends in side.program.branches.items():
        if ends.trellis != trellis.scope:
            continue
        before: Visit | None = None
        for place in route(side.program, side.answers, branch):
            here = [cell for cell in _at(trellis, found, place) if _computes(side, branch, cell)]
            operator = _operator(side, trellis, branch, place)
            key = (place, here[-1].path) if here else (place, before and before.name, operator)
            visit = known.get(key) or _visit(side, trellis, branch, place, here, before)
            if str(branch) not in visit.branches:
                visit = replace(visit, branches=(*visit.branches, str(branch)))
            known[key] = visit
            before = visit
    return _named_apart(tuple(known.values()), trellis)


def _visit(
    side: Side, trellis: Trellis, branch: Branch | None, place: Place, here: Sequence[Cell], before: Visit | None
) -> Visit:
    operator = _operator(side, trellis, branch, place)
    spelled = trellis.spell(place)
    previous = before and before.name
    if not here:
        carried = before and before.carries
        owned = Frame(FrameKind.CELL, spelled, owners=(str(branch),))
        return Visit(place, owned.spelled, (), None, (), carried, operator or "nothing", "", previous)
    *_, cell = here
    nodes = tuple(node for each in here for node in each.nodes)
    inside = set(nodes)
    reads = (path for each in here for path in maps_read(side.graph, each) if path not in inside)
    widths = [side.graph.node(path).shape.channels for path in reads]
    writes = [side.graph.node(path).shape.channels for path in cell.outputs]
    channels = f"{', '.join(map(str, dict.fromkeys(widths)))} → {', '.join(map(str, dict.fromkeys(writes)))}"
    op = operator or cell.definition or ops_of(side.graph, cell)
    return Visit(place, cell.path, (), cell.path, nodes, cell.path, op, channels, previous)


def _named_apart(found: tuple[Visit, ...], trellis: Trellis) -> tuple[Visit, ...]:
    """A skip that all branches of its place share is named after the place, as a shared cell is."""
    crowds: dict[Place, int] = {}
    for visit in found:
        crowds[visit.place] = crowds.get(visit.place, 0) + 1
    names = {
        visit.name: trellis.spell(visit.place)
        for visit in found
        if visit.cell is None and crowds[visit.place] == 1 and len(visit.branches) > 1
    }
    return tuple(
        replace(
            visit, name=names.get(visit.name, visit.name), before=visit.before and names.get(visit.before, visit.before)
        )
        for visit in found
    )


def _at(trellis: Trellis, found: Mapping[str, Cell], place: Place) -> list[Cell]:
    """What is computed at a place, in the order of the graph."""
    spelled = trellis.spell(place)
    return [cell for cell in found.values() if cell.scope == spelled]


def _computes(side: Side, branch: Branch, cell: Cell) -> bool:
    node = side.graph.node(cell.nodes[0])
    owners = node.branches if isinstance(node, ClosedNode) else ()
    return not owners or str(branch) in owners


def _operator(side: Side, trellis: Trellis, branch: Branch | None, place: Place) -> str:
    """The answers about operators at a place, which is what a reader calls the cell."""
    scope = trellis.at(place)
    asked = [
        path
        for path, question in side.program.questions.items()
        if path.within(scope) and question.kind is QuestionKind.OPERATOR
    ]
    own = (side.answers.get(path if branch is None else path.of(branch), side.answers.get(path)) for path in asked)
    return ", ".join(", ".join(answer) for answer in own if answer)


@dataclass(frozen=True)
class Grid:
    """Centres of places and of the cells at them."""

    columns: tuple[int, ...]
    rows: tuple[Place, ...]
    heights: Mapping[Place, float]
    """The middle of each row."""
    lanes: Mapping[Place, tuple[str, ...]]
    """The branches that have a lane of their own in a row."""
    of_row: Mapping[Place, int]
    """How many lanes each row is high."""
    lane: float
    """The height of a lane."""
    column: float
    """From the middle of one column to that of the next."""

    @classmethod
    def of(cls, trellis: Trellis, visits: Sequence[Visit], lane: float, column: float) -> Grid:
        columns = tuple(sorted({place[0] for place in trellis.sources}))
        rows = tuple(sorted({place[1:] for place in trellis.sources}))
        lanes = {row: _lanes(row, visits) for row in rows}
        of_row = {row: max(1, len(lanes[row])) for row in rows}
        heights: dict[Place, float] = {}
        y = 0.0
        for row in rows:
            half = of_row[row] * lane / 2
            heights[row] = y - half
            y -= 2 * half + GAP
        return cls(columns, rows, heights, lanes, of_row, lane, column)

    def x(self, layer: int) -> float:
        return self.columns.index(layer) * self.column

    def centre(self, place: Place) -> Point:
        return (self.x(place[0]), self.heights[place[1:]])

    def of_visit(self, visit: Visit) -> Point:
        """In the lane of its branch, or in the middle of the lanes of all who share it."""
        x, y = self.centre(visit.place)
        lanes = self.lanes[visit.place[1:]]
        mine = [lanes.index(branch) for branch in visit.branches if branch in lanes]
        if not mine:
            return (x, y)
        return (x, y + self.lane * ((len(lanes) - 1) / 2 - sum(mine) / len(mine)))

    def above(self, row: Place) -> float:
        """The upper edge of a row."""
        return self.heights[row] + self.of_row[row] * self.lane / 2

    def below(self, row: Place) -> float:
        """The lower edge of a row."""
        return self.heights[row] - self.of_row[row] * self.lane / 2

    @property
    def right(self) -> float:
        return self.x(self.columns[-1]) + (self.column - COLUMN + CELL[0]) / 2

    @property
    def left(self) -> float:
        return -(self.column - COLUMN + CELL[0]) / 2


def _lanes(row: Place, visits: Sequence[Visit]) -> tuple[str, ...]:
    """Lanes are needed where one place of the row holds several cells."""
    crowds: dict[Place, list[Visit]] = {}
    for visit in visits:
        if visit.place[1:] == row:
            crowds.setdefault(visit.place, []).append(visit)
    crowded = [visit for crowd in crowds.values() if len(crowd) > 1 for visit in crowd]
    order = dict.fromkeys(branch for visit in visits for branch in visit.branches)
    return tuple(branch for branch in order if any(branch in visit.branches for visit in crowded))


@dataclass(frozen=True)
class TrellisLayout:
    side: Side
    trellis: Trellis
    shares: Shares | None = None
    """What cells cost, of a network."""
    gone: tuple[Visit, ...] = ()
    """What another network of the grid has and this one has not, which takes its lanes too."""
    size: Point = CELL
    """Of a cell's box, without its cost."""

    @property
    def cell_size(self) -> Point:
        return self.with_cost(self.size)

    def with_cost(self, size: Point) -> Point:
        """The size of a box that has room for what it costs."""
        return size if self.shares is None else (size[0], size[1] + COST)

    @cached_property
    def parts(self) -> Parts:
        return parts(self.side.graph)

    @property
    def cells(self) -> Mapping[str, Cell]:
        return self.parts.cells

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        return visits(self.side, self.trellis, self.cells) if self.side.graph.closed else ()

    @cached_property
    def grid(self) -> Grid:
        lane = LANE + self.cell_size[1] - CELL[1]
        return Grid.of(self.trellis, (*self.visits, *self.gone), lane, COLUMN + self.size[0] - CELL[0])

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
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """By place the parts that its cells read, by whatever branch, but for their own."""
        found: dict[str, dict[str, None]] = {spelled: {} for spelled in self.spelled}
        for cell in self.cells.values():
            if cell.scope in found:
                here = (each for each in cell.reads if self.cells[each].scope != cell.scope)
                found[cell.scope] |= dict.fromkeys(here)
        return {spelled: tuple(each) for spelled, each in found.items()}

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
        half = (self.size if visit.cell else SKIP)[0] / 2
        return (x + half if right else x - half, y)

    def offset(self, branch: str, sharing: Sequence[str]) -> float:
        order = sorted(sharing, key=lambda each: self.numbers[each])
        return _APART * ((len(order) - 1) / 2 - order.index(branch))

    def stroke(self, branch: str) -> Stroke:
        return branch_stroke(self.numbers[branch])

    def stroke_of(self, visit: Visit) -> Stroke:
        """That of its first branch; a plain one in a grid without branches."""
        return self.stroke(visit.branches[0]) if visit.branches else Stroke(INK)

    def carrier(self, reader: str, source: str) -> Visit | None:
        """The last place that still has the map which is read: skips hand it on."""
        found = [visit for visit in self.visits if visit.carries == source]
        frames = self.parts.frames.get(reader, ())
        branches = {reader, *(branch for frame in frames for branch in (frame.branch, *frame.owners))}
        mine = [visit for visit in found if not branches.isdisjoint(visit.branches)]
        return max(mine or found, key=lambda visit: visit.place[0], default=None)
