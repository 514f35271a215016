"""A grid as a trellis: every place and step thin, the path of each branch bold (FasterSeg, figure 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from archdsl.diff import Cell, Side, cells
from archdsl.diff.cells import bare
from archdsl.ops import Shape
from archdsl.render.grid import CELL, SKIP, Grid
from archdsl.render.labels import resolution, small, wrapped
from archdsl.render.legend import Entry, legend, written
from archdsl.render.picture import Box, Line, Outline, Picture, Point, Text
from archdsl.render.style import FAINT, INK, MUTED, TINT, Dash, Stroke, branch_stroke
from archdsl.render.surroundings import Outside, is_image, outside
from archdsl.render.visits import Visit, visits
from archdsl.render.ways import bent, moved, swung
from archdsl.space import Apply, Place, QuestionKind, Trellis

_GREY = Stroke(FAINT, Dash.SOLID, 0.7)
_HEAD = Stroke(MUTED, Dash.SOLID, 1.3)
_EARLIER = Stroke(MUTED, Dash.DOTTED, 1.3)
_SIDE: Point = (92, 39)
_SIDE_COLUMN = 114.0
_APART = 4.4
"""Between the strokes of branches that share a step."""


def trellis_picture(side: Side, trellis: Trellis) -> Picture:
    """The picture of a grid: its paths where it is answered, else its places with their questions."""
    return _Drawing(side, trellis).picture()


@dataclass(frozen=True)
class _Drawing:
    side: Side
    trellis: Trellis

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        return cells(self.side.graph)

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
        return frozenset(path for path in self.cells if bare(self.side.program, path) in self.spelled)

    @cached_property
    def outside(self) -> tuple[Outside, ...]:
        return outside(self.side.graph, self.cells, self.inside)

    @cached_property
    def image(self) -> Shape:
        return self.side.graph.node(self.side.graph.images[0]).shape

    def picture(self) -> Picture:
        boxes = [*self.headings(), *self.places(), *self.cell_boxes(), *self.outside_boxes(), *self.legend[0]]
        lines = [*self.steps(), *self.strokes(), *self.outside_lines(), *self.legend[1]]
        return Picture(self.side.name, tuple(boxes), tuple(lines), flow=None)

    # Places ---------------------------------------------------------------------------------

    def headings(self) -> list[Box]:
        side, grid = self.side, self.grid
        kind = f"of {side.program.name}" if side.program.name != side.name else "a space"
        top = grid.above(grid.rows[0]) + 58
        about = f"{kind}, {self.trellis.name} of {len(grid.columns)} layers"
        found = [
            written("title", Text(side.name, 16, bold=True), (grid.left, top + 30)),
            written("subtitle", small(about, 10), (grid.left, top + 10)),
        ]
        found += [
            Box(f"layer {layer}", (small(str(layer), 9),), Outline.PLAIN, at=(grid.x(layer), top - 18))
            for layer in grid.columns
        ]
        for row in grid.rows:
            index = "x".join(map(str, row))
            label = (Text(self.resolution(row) or index, 11), small(f"[{index}]", 8))
            at = (grid.left - 26, grid.above(row) + 4)
            found.append(Box(f"row {index}", label, Outline.PLAIN, at=at))
        return found

    def resolution(self, row: Place) -> str:
        """Of the maps that enter the places of a row."""
        wanted = {self.trellis.spell(place) for place in self.trellis.sources if place[1:] == row}
        shapes = [
            node.shape
            for node in self.side.program.nodes
            if isinstance(node.payload, Apply) and node.frames and node.frames[0].name in wanted
        ]
        return resolution(max(shapes, key=lambda shape: shape.height), self.image) if shapes else ""

    def places(self) -> list[Box]:
        if self.side.graph.closed:
            visited = {visit.place for visit in self.visits}
            return [
                Box(spelled, outline=Outline.DOT, stroke=_GREY, fill=FAINT, at=self.grid.centre(place), size=(6, 6))
                for spelled, place in self.spelled.items()
                if place not in visited
            ]
        return [self.asking(spelled, place) for spelled, place in self.spelled.items()]

    def asking(self, spelled: str, place: Place) -> Box:
        """A place whose questions are open, and how many."""
        kinds = [
            str(question.kind)
            for path, question in self.side.program.questions.items()
            if path.startswith(f"{spelled}.")
        ]
        plural = "" if len(kinds) == 1 else "s"
        label = (Text(f"{len(kinds)} question{plural}", 8), *(small(line, 7) for line in wrapped(", ".join(kinds), 17)))
        return Box(spelled, label, stroke=Stroke(MUTED), fill=TINT, at=self.grid.centre(place), size=CELL)

    def steps(self) -> list[Line]:
        """Every step that a path could take."""
        reach = 3 if self.side.graph.closed else CELL[0] / 2
        found: list[Line] = []
        for spelled, place in self.spelled.items():
            for source in dict.fromkeys(self.trellis.sources[place].values()):
                start, end = self.grid.centre(source), self.grid.centre(place)
                way = swung((start[0] + reach, start[1]), (end[0] - reach, end[1]))
                tail, head = self.anchor(self.trellis.spell(source)), self.anchor(spelled)
                found.append(Line(tail, head, stroke=_GREY, arrow=False, way=way))
        return found

    def anchor(self, spelled: str) -> str:
        """The box that stands at a place."""
        at = [visit.name for visit in self.visits if visit.place == self.spelled[spelled]]
        return at[0] if at else spelled

    # Paths ----------------------------------------------------------------------------------

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        return {branch: number for number, branch in enumerate(self.side.program.branches)}

    def cell_boxes(self) -> list[Box]:
        return [self.cell_box(visit) for visit in self.visits]

    def cell_box(self, visit: Visit) -> Box:
        at = self.grid.of_visit(visit)
        own = branch_stroke(self.numbers[visit.branches[0]])
        alone = len(visit.branches) == 1
        if visit.cell is None:
            colour = own.colour if alone else INK
            label = tuple(Text(line, 9, colour=MUTED) for line in wrapped(visit.op, 8, 2))
            return Box(visit.name, label, stroke=Stroke(colour, Dash.DASHED, 0.9), at=at, size=SKIP)
        stroke = Stroke(own.colour, Dash.SOLID, 1.4) if alone else Stroke(INK, Dash.SOLID, 1.4)
        lines = wrapped(visit.op, 12, 2)
        label = (*(Text(line, 9) for line in lines), small(visit.channels, 8))
        return Box(visit.name, label, stroke=stroke, fill="#ffffff" if alone else TINT, at=at, size=CELL)

    def strokes(self) -> list[Line]:
        """Every step of a path, one stroke for each branch that takes it."""
        by_name = {visit.name: visit for visit in self.visits}
        found: list[Line] = []
        for visit in self.visits:
            if visit.before is None:
                continue
            before = by_name[visit.before]
            for branch in visit.branches:
                start, end = self.edge(before, right=True), self.edge(visit, right=False)
                way = swung(
                    (start[0], start[1] + self.offset(branch, before.branches)),
                    (end[0], end[1] + self.offset(branch, visit.branches)),
                )
                found.append(Line(visit.before, visit.name, stroke=self.stroke(branch), arrow=False, way=way))
        return found

    def edge(self, visit: Visit, *, right: bool) -> Point:
        x, y = self.grid.of_visit(visit)
        half = (CELL if visit.cell else SKIP)[0] / 2
        return (x + half if right else x - half, y)

    def offset(self, branch: str, sharing: Sequence[str]) -> float:
        order = sorted(sharing, key=lambda each: self.numbers[each])
        return _APART * ((len(order) - 1) / 2 - order.index(branch))

    def stroke(self, branch: str) -> Stroke:
        return branch_stroke(self.numbers[branch])

    # Stem and heads -------------------------------------------------------------------------

    @cached_property
    def sides(self) -> Mapping[str, Point]:
        """Where the boxes outside of the grid stand."""
        columns: dict[int, list[Outside]] = {}
        for each in self.outside:
            columns.setdefault(each.depth, []).append(each)
        found: dict[str, Point] = {}
        first = self.grid.centre(min(self.trellis.sources))[1]
        for depth in sorted(columns, key=abs):
            column = columns[depth]
            if depth < 0:
                x = self.grid.left - 52 + (depth + 0.5) * _SIDE_COLUMN * 0.9
                ys = [first - number * 50 for number in range(len(column))]
            else:
                x = self.grid.right + 34 + (depth - 0.5) * _SIDE_COLUMN
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
        if (visit := self.carrier(reader, source)) is not None:
            return self.grid.of_visit(visit)[1]
        return self.grid.centre(self.spelled[bare(self.side.program, source)])[1] if source in self.inside else None

    def spread(self, wanted: list[float]) -> list[float]:
        """Heights in falling order, at least a box apart, around where they want to be."""
        apart = _SIDE[1] + 16
        found: list[float] = []
        for y in wanted:
            found.append(min(y, found[-1] - apart) if found else y)
        shift = (sum(wanted) - sum(found)) / len(wanted)
        return [y + shift for y in found]

    def carrier(self, reader: str, source: str) -> Visit | None:
        """The last place that still has the map which is read: skips hand it on."""
        found = [visit for visit in self.visits if visit.carries == source]
        steps = reader.split(".")
        mine = [visit for visit in found if any(branch in steps for branch in visit.branches)]
        return max(mine or found, key=lambda visit: visit.place[0], default=None)

    def outside_boxes(self) -> list[Box]:
        return [self.outside_box(each) for each in self.outside]

    def outside_box(self, each: Outside) -> Box:
        stroke = Stroke(INK, Dash.DASHED if each.auxiliary else Dash.SOLID, 1.1)
        if is_image(self.side.graph, each.name):
            label: tuple[Text, ...] = (Text(each.name, 9), small(str(self.image)))
        else:
            name = each.name.removesuffix(f".{each.definition}") if each.definition else each.name
            lines = [each.definition, f"of {name.rpartition('.')[2]}"] if each.definition else [name]
            if each.name in self.side.program.branches:
                places = self.side.program.branches[each.name].places
                lines = [f"branch {each.name}", f"ends at {' or '.join(places)}"]
            label = tuple(Text(line, 9) for line in lines)
            label += tuple(
                small(f"{'aux' if each.auxiliary else 'out'} {self.shape_of(output)}") for output in each.outputs
            )
        return Box(each.name, label, stroke=stroke, at=self.sides[each.name], size=_SIDE)

    def shape_of(self, output: str) -> str:
        return str(self.side.graph.node(f"out {output}").shape)

    def outside_lines(self) -> list[Line]:
        return [*self.into_grid(), *self.between_outside(), *self.out_of_grid()]

    def into_grid(self) -> list[Line]:
        starts = [visit for visit in self.visits if visit.before is None]
        found: list[Line] = []
        for source in (each.name for each in self.outside if each.depth == -1):
            x, y = self.sides[source]
            for visit in starts:
                end = self.edge(visit, right=False)
                for branch in visit.branches:
                    way = swung((x + _SIDE[0] / 2, y), (end[0], end[1]))
                    way = moved(way, self.offset(branch, visit.branches))
                    found.append(Line(source, visit.name, stroke=self.stroke(branch), arrow=False, way=way))
            if not starts:
                place = min(self.trellis.sources)
                end = self.grid.centre(place)
                way = swung((x + _SIDE[0] / 2, y), (end[0] - CELL[0] / 2, end[1]))
                found.append(Line(source, self.trellis.spell(place), stroke=_HEAD, way=way))
        return found

    def between_outside(self) -> list[Line]:
        found: list[Line] = []
        for each in self.outside:
            for source in each.reads:
                if source not in self.sides:
                    continue
                start, end = self.sides[source], self.sides[each.name]
                way = swung((start[0] + _SIDE[0] / 2, start[1]), (end[0] - _SIDE[0] / 2, self.port(each, source)))
                found.append(Line(source, each.name, stroke=self.outer_stroke(each), way=way))
        return found

    def outer_stroke(self, each: Outside) -> Stroke:
        return Stroke(MUTED, Dash.DASHED, 1.0) if each.auxiliary else _HEAD

    def port(self, each: Outside, source: str) -> float:
        """Where on its left side a box is entered from: in the order of the heights of its sources."""
        order = sorted(each.reads, key=lambda name: -(self.height(each.name, name, self.sides) or 0))
        return self.sides[each.name][1] + 9 * ((len(order) - 1) / 2 - order.index(source))

    def out_of_grid(self) -> list[Line]:
        found: list[Line] = []
        used: dict[Place, int] = {}
        for each in self.outside:
            for source in each.reads:
                visit = self.carrier(each.name, source)
                if visit is None:
                    continue
                end = (self.sides[each.name][0] - _SIDE[0] / 2, self.port(each, source))
                start = self.edge(visit, right=True)
                if visit.place[0] == self.grid.columns[-1]:
                    branch = visit.branches[0]
                    stroke = Stroke(self.stroke(branch).colour, self.outer_stroke(each).dash, 1.5)
                    found.append(Line(visit.name, each.name, stroke=stroke, way=swung(start, end)))
                    continue
                number = used.get(visit.place[1:], 0)
                used[visit.place[1:]] = number + 1
                found.append(Line(visit.name, each.name, stroke=_EARLIER, way=self.over(visit, end, number)))
        return found + self.ends()

    def over(self, visit: Visit, end: Point, number: int) -> tuple[Point, ...]:
        """Out of its row on the nearer side, and behind the grid to the head."""
        x, y = self.grid.of_visit(visit)
        row = visit.place[1:]
        up = 1 if y >= self.grid.heights[row] else -1
        edge = self.grid.above(row) if up > 0 else self.grid.below(row)
        lane = edge + up * (9 + 6 * number)
        right = self.grid.right + 10 + 6 * (2 * self.grid.rows.index(row) + number)
        start = (x + 6 * number, y + up * (CELL if visit.cell else SKIP)[1] / 2)
        return bent((start, (start[0], lane), (right, lane), (right, end[1]), end))

    def ends(self) -> list[Line]:
        """Where each branch may end, as long as that is open."""
        if self.visits:
            return []
        found: list[Line] = []
        for branch, ends in self.side.program.branches.items():
            if branch not in self.sides:
                continue
            x, y = self.sides[branch]
            for place in ends.places.values():
                start = self.grid.centre(place)
                way = swung((start[0] + CELL[0] / 2, start[1]), (x - _SIDE[0] / 2, y))
                found.append(Line(self.trellis.spell(place), branch, stroke=self.stroke(branch), way=way))
        return found

    # Legend ---------------------------------------------------------------------------------

    @cached_property
    def legend(self) -> tuple[list[Box], list[Line]]:
        return legend(self.entries(), (self.grid.left, self.grid.below(self.grid.rows[-1]) - 34))

    def entries(self) -> list[Entry]:
        found = [Entry(f"branch {branch}", self.stroke(branch)) for branch in self.numbers]
        if self.visits:
            if len(self.numbers) > 1:
                found.append(Entry("strokes side by side, grey cell: computed once for both", None))
            found.append(Entry("dashed box: no op, the map is handed on", None))
            found.append(Entry("64 → 128: channels in and out", None))
            found.append(Entry("an earlier map, read by a head", _EARLIER))
        else:
            found += [Entry(text, None) for text in self.asked()]
        if any(each.auxiliary for each in self.outside):
            found.append(Entry("auxiliary, trained with and not exported", Stroke(MUTED, Dash.DASHED, 1.2)))
        return [*found, Entry("a step that the space allows", _GREY)]

    def asked(self) -> list[str]:
        """Each kind of question with its candidates, where all that are of the kind have the same."""
        questions = self.side.program.questions.values()
        found = [f"{len(questions)} questions"]
        for kind in (QuestionKind.OPERATOR, QuestionKind.WIDTH, QuestionKind.SOURCE):
            sets = [question.answers for question in questions if question.kind is kind]
            if sets and len(set(sets)) == 1:
                found.append(f"{len(sets)} × {kind}: one of {', '.join(sets[0])}")
            elif sets:
                found.append(f"{len(sets)} × {kind}: up to {max(map(len, sets))} candidates")
        return found
