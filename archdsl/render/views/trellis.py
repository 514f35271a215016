"""A grid as a trellis: every place and step thin, the path of each branch bold (FasterSeg, figure 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from archdsl.cost.node_costs import NodeCosts
from archdsl.diff import Side
from archdsl.ir import Scope, ScopeTree
from archdsl.ir.scopes import scope_tree
from archdsl.render.model.labels import resolution, small, wrapped
from archdsl.render.model.picture import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    TINT,
    Box,
    Dash,
    Line,
    Outline,
    Picture,
    Point,
    Stroke,
    Text,
)
from archdsl.render.model.splines import joined, moved, swung
from archdsl.render.views.chances import Chances, percent, samples, stroke
from archdsl.render.views.grid_surroundings import EARLIER, GridSurroundings
from archdsl.render.views.legends import Entry, legend, text_box
from archdsl.render.views.shares import Shares, coloured
from archdsl.render.views.trellis_layout import CELL, SKIP, TrellisLayout, Visit
from archdsl.space import (
    Asked,
    FrameKind,
    Place,
    Question,
    QuestionKind,
    QuestionPath,
    QuestionScope,
    Select,
    Trellis,
)

_APART = 70.0
_SWATCH: Point = (74, 26)
_FRAME = 2.2
"""Of a coloured cell, whose frame tells its branch."""
_PROBABLE: Point = (CELL[0], 56)
"""A place with the most probable answers."""

_GREY = Stroke(FAINT, Dash.SOLID, 0.7)
_READ = Stroke(MUTED, Dash.SOLID, 1.1)


def trellis_picture(
    side: Side, trellis: Trellis, chances: Chances | None = None, costs: NodeCosts | None = None
) -> Picture:
    """The picture of a grid: its paths where it is answered, else its places with their questions.

    With costs each cell is coloured by its share of those of the network.
    """
    shares = None if costs is None else Shares(costs, costs.total)
    return Drawing(TrellisLayout(side, trellis, shares), chances).picture()


def trellis_pictures(side: Side, chances: Chances | None = None) -> Picture:
    """The pictures of all grids of a text on one layout, one below the other."""
    found = [trellis_picture(side, trellis, chances) for trellis in side.program.trellises.values()]
    return found[0] if len(found) == 1 else stacked(side.name, found)


@dataclass(frozen=True)
class Drawing:
    """The boxes and lines of a grid."""

    layout: TrellisLayout
    chances: Chances | None = None
    """How probable answers are, where they are open and that is known."""

    def picture(self) -> Picture:
        heads = self.heads
        boxes = [*self.headings(), *self.places(), *cell_boxes(self.layout), *heads.boxes(), *self.legend[0]]
        boxes += self.scale()
        lines = [*self.steps(), *self.reads(), *strokes(self.layout), *heads.lines(), *self.legend[1]]
        return Picture(self.layout.side.name, tuple(boxes), tuple(lines), flow=None)

    @cached_property
    def heads(self) -> GridSurroundings:
        return GridSurroundings(self.layout)

    # Places ---------------------------------------------------------------------------------

    def headings(self) -> list[Box]:
        side, grid = self.layout.side, self.layout.grid
        kind = "a network" if side.graph.closed else "a space"
        kind = f"of {side.program.name}" if side.program.name != side.name else kind
        top = grid.above(grid.rows[0]) + 58
        about = f"{kind}, {self.layout.trellis.name} of {len(grid.columns)} layers"
        found = [
            text_box("title", Text(side.name, 16, bold=True), (grid.left, top + 30)),
            text_box("subtitle", small(about, 10), (grid.left, top + 10)),
        ]
        return found + self.rows_and_columns()

    def rows_and_columns(self) -> list[Box]:
        """The numbers of layers above the grid, and on its left each row with the resolution of its maps."""
        grid = self.layout.grid
        top = grid.above(grid.rows[0]) + 58
        found = [
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
        """Of the maps that the sources of a row are chosen among; where none are, of those that its cells read.

        Places of a grid without branches may read maps of several sizes; there it is of those that they write.
        """
        program = self.layout.side.program
        paths = self.nodes_at(row)
        inside = [node for node in program.nodes if node.path in paths]
        for node in inside:
            match node.payload:
                case Select(Asked(path), _) if program.questions[path].kind is QuestionKind.SOURCE:
                    return resolution(node.shape, self.layout.image)
                case _:
                    pass
        if self.layout.numbers:
            entering = (program.nodes[index] for node in inside for index in node.inputs)
            maps = (node for node in entering if node.path not in paths)
        else:
            readers = (node for node in program.nodes if node.path not in paths)
            maps = (program.nodes[index] for node in readers for index in node.inputs)
            maps = (node for node in maps if node.path in paths)
        first = next(maps, None)
        return resolution(first.shape, self.layout.image) if first is not None else ""

    def nodes_at(self, row: Place) -> frozenset[str]:
        """The nodes of the space at the places of a row, in every instance of the cell that holds the grid."""
        trellis = self.layout.trellis
        names = {str(trellis.at(place)[-1]) for place in trellis.sources if place[1:] == row}
        cells = (scope for scope in self.tree if scope.frames[-1].name in names and stands_in(scope, trellis.scope))
        return frozenset(path for scope in cells for path in scope.nodes)

    @cached_property
    def tree(self) -> ScopeTree:
        return scope_tree([node.location for node in self.layout.side.program.nodes])

    def places(self) -> list[Box]:
        if self.layout.side.graph.closed:
            visited = {visit.place for visit in (*self.layout.visits, *self.layout.gone)}
            return [
                Box(
                    spelled,
                    outline=Outline.DOT,
                    stroke=_GREY,
                    fill=FAINT,
                    at=self.layout.grid.centre(place),
                    size=(6, 6),
                )
                for spelled, place in self.layout.spelled.items()
                if place not in visited
            ]
        return [self.question_box(spelled, place) for spelled, place in self.layout.spelled.items()]

    def question_box(self, spelled: str, place: Place) -> Box:
        """A place whose questions are open, and how many."""
        kinds = [
            str(question.kind)
            for path, question in self.layout.side.program.questions.items()
            if path.within(self.layout.trellis.at(place))
        ]
        plural = "" if len(kinds) == 1 else "s"
        if (probable := self.probable(place)) and self.chances is not None:
            at = self.layout.grid.centre(place)
            return Box(spelled, probable, stroke=Stroke(MUTED), fill=TINT, at=at, size=_PROBABLE)
        label = (Text(f"{len(kinds)} question{plural}", 8), *(small(line, 7) for line in wrapped(", ".join(kinds), 17)))
        if not kinds and spelled in self.layout.cells:
            label = (small(self.layout.cells[spelled].definition),)
        return Box(spelled, label, stroke=Stroke(MUTED), fill=TINT, at=self.layout.grid.centre(place), size=CELL)

    def probable(self, place: Place) -> tuple[Text, ...]:
        """The most probable op and width at a place."""
        found: list[Text] = []
        for path, question in self.questions_at(place).items():
            best = None if self.chances is None else self.chances.best(path)
            if best is None:
                continue
            answer, probability = best
            if question.kind is QuestionKind.OPERATOR:
                found = [*(Text(line, 8) for line in wrapped(answer, 12, 2)), small(percent(probability), 7), *found]
            elif question.kind is QuestionKind.WIDTH:
                found.append(small(f"{path.name} {answer}, {percent(probability)}", 7))
        return tuple(found)

    def questions_at(self, place: Place) -> Mapping[QuestionPath, Question]:
        at = self.layout.trellis.at(place)
        return {path: each for path, each in self.layout.side.program.questions.items() if path.within(at)}

    def chances_at(self, place: Place) -> Mapping[Place, float]:
        """How probable each source of a place is; empty where that is not known."""
        labels = self.layout.trellis.sources[place]
        for path, question in self.questions_at(place).items():
            if self.chances is not None and question.kind is QuestionKind.SOURCE:
                return {labels[answer]: each for answer, each in self.chances.of(path).items() if answer in labels}
        return {}

    def steps(self) -> list[Line]:
        """Every step that a path could take."""
        reach = 3 if self.layout.side.graph.closed else CELL[0] / 2
        found: list[Line] = []
        for spelled, place in self.layout.spelled.items():
            chances = self.chances_at(place)
            likely = max(chances, key=lambda source: chances[source], default=None)
            for source in dict.fromkeys(self.layout.trellis.sources[place].values()):
                start, end = self.layout.grid.centre(source), self.layout.grid.centre(place)
                way = swung((start[0] + reach, start[1]), (end[0] - reach, end[1]))
                tail, head = self.anchor(self.layout.trellis.spell(source)), self.anchor(spelled)
                drawn = _GREY
                if self.chances is not None:
                    trellis = self.layout.trellis
                    alone = len(set(trellis.sources[place].values())) == 1 and place not in trellis.starts
                    drawn = stroke(1.0, best=True) if alone else drawn
                    drawn = stroke(chances[source], best=source == likely) if source in chances else drawn
                found.append(Line(tail, head, stroke=drawn, arrow=False, way=way))
        return found

    def reads(self) -> list[Line]:
        """What the cells of a grid without branches read of each other, where no question decides it."""
        if self.layout.numbers:
            return []
        found: list[Line] = []
        for spelled, sources in self.layout.reads.items():
            place = self.layout.spelled[spelled]
            if not self.layout.side.graph.closed and self.layout.trellis.sources[place]:
                continue
            places = (self.layout.spelled.get(self.layout.cells[source].scope) for source in sources)
            for source in dict.fromkeys(each for each in places if each is not None):
                tail = self.anchor(self.layout.trellis.spell(source))
                way = joined(self.layout.grid.centre(source), self.layout.grid.centre(place), self.layout.cell_size)
                found.append(Line(tail, self.anchor(spelled), stroke=_READ, way=way))
        return found

    def anchor(self, spelled: str) -> str:
        """The box that stands at a place."""
        place, visits = self.layout.spelled[spelled], (*self.layout.visits, *self.layout.gone)
        at = [visit.name for visit in visits if visit.place == place]
        return at[0] if at else spelled

    # Legend ---------------------------------------------------------------------------------

    @cached_property
    def legend(self) -> tuple[list[Box], list[Line]]:
        return legend(self.entries(), self._below())

    def _below(self) -> tuple[float, float]:
        """Where what explains the picture begins."""
        return self.layout.grid.left, self.layout.grid.below(self.layout.grid.rows[-1]) - 34

    def scale(self) -> list[Box]:
        """The colours of costs, below the rest of the legend."""
        if (shares := self.layout.shares) is None:
            return []
        x, lowest = self._below()
        y = min((box.at[1] for box in self.legend[0] if box.at is not None), default=lowest) - 34
        found = [text_box("legend costs", small(f"{shares.about('the network')}, at inference", 9), (x, y + 2))]
        for number, (swatch, label) in enumerate(shares.legend()):
            at = (x + (number + 0.5) * (_SWATCH[0] + 4), y - 26)
            found.append(Box(f"legend cost {number}", label, Outline.BOX, Stroke(FAINT), swatch.fill, at, _SWATCH))
        return found

    def entries(self) -> list[Entry]:
        found = [Entry(f"branch {branch}", self.layout.stroke(branch)) for branch in self.layout.numbers]
        if self.layout.visits:
            if len(self.layout.numbers) > 1:
                cell = "grey cell" if self.layout.shares is None else "black frame"
                found.append(Entry(f"strokes side by side, {cell}: computed once for both", None))
            if any(visit.cell is None for visit in self.layout.visits):
                found.append(Entry("dashed box: no op, the map is handed on", None))
            found.append(Entry("64 → 128: channels in and out", None))
            if any(line.stroke == EARLIER for line in self.heads.lines()):
                found.append(Entry("an earlier map, read by a head", EARLIER))
        else:
            found += [Entry(text, None) for text in self.asked()]
        if self.chances is not None:
            found = [*samples(), *found]
        if any(each.auxiliary for each in self.layout.outside):
            found.append(Entry("auxiliary, trained with and not exported", Stroke(MUTED, Dash.DASHED, 1.2)))
        return [*found, Entry("a step that the space allows", _GREY)] if self.steps() else found

    def asked(self) -> list[str]:
        """Each kind of question with its candidates, where all that are of the kind have the same."""
        program = self.layout.side.program
        questions = list(program.questions.values())
        if len(program.trellises) > 1:
            places = [self.layout.trellis.at(place) for place in self.layout.trellis.sources]
            ends = [
                branch.end for branch, ends in program.branches.items() if ends.trellis == self.layout.trellis.scope
            ]
            questions = [
                each for each in questions if each.path in ends or any(each.path.within(place) for place in places)
            ]
        found = [f"{len(questions)} question{'' if len(questions) == 1 else 's'}"] if questions else []
        for kind in (QuestionKind.OPERATOR, QuestionKind.WIDTH, QuestionKind.SOURCE):
            sets = [question.answers for question in questions if question.kind is kind]
            if sets and len(set(sets)) == 1:
                found.append(f"{len(sets)} × {kind}: one of {', '.join(sets[0])}")
            elif sets:
                found.append(f"{len(sets)} × {kind}: up to {max(map(len, sets))} candidates")
        return found


def stands_in(scope: Scope, grid: QuestionScope) -> bool:
    """Whether the cells around a scope are those around a grid: each by its name, or by the definition it shares."""
    around = [frame for frame in scope.frames[:-1] if frame.kind is FrameKind.CELL]
    steps = grid[:-1]
    return len(around) >= len(steps) and all(
        str(step) == frame.name or step.name == frame.definition
        for step, frame in zip(reversed(steps), reversed(around), strict=False)
    )


def cell_boxes(layout: TrellisLayout) -> list[Box]:
    """A box for each cell that a branch visits, and a small dashed one where it hands its map on."""
    return [_cell_box(layout, visit) for visit in layout.visits]


def _cell_box(layout: TrellisLayout, visit: Visit) -> Box:
    at = layout.grid.of_visit(visit)
    own = layout.stroke_of(visit)
    alone = len(visit.branches) < 2
    if visit.cell is None:
        colour = own.colour if alone else INK
        label = tuple(Text(line, 9, colour=MUTED) for line in wrapped(visit.op, 8, 2))
        return Box(visit.name, label, stroke=Stroke(colour, Dash.DASHED, 0.9), at=at, size=SKIP)
    stroke = Stroke(own.colour, Dash.SOLID, 1.4) if alone else Stroke(INK, Dash.SOLID, 1.4)
    lines = wrapped(visit.op, 12, 2)
    label = (*(Text(line, 9) for line in lines), small(*_fitted(visit.channels)))
    fill = PAPER if alone else TINT
    if (shares := layout.shares) is not None:
        nodes = visit.nodes
        stroke, fill = replace(stroke, width=_FRAME), PAPER
        if (swatch := shares.swatch(nodes)) is not None:
            label, fill = coloured((*label, small(shares.brief(nodes), 7)), swatch), swatch.fill
    return Box(visit.name, label, stroke=stroke, fill=fill, at=at, size=layout.cell_size)


def _fitted(channels: str) -> tuple[str, int]:
    """In a size at which it fits into a cell; without what is read where none does."""
    for most, size in ((11, 8), (14, 7), (16, 6)):
        if len(channels) <= most:
            return channels, size
    return f"→ {channels.partition(' → ')[2]}", 8


def strokes(layout: TrellisLayout) -> list[Line]:
    """Every step of a path, one stroke for each branch that takes it."""
    by_name = {visit.name: visit for visit in layout.visits}
    found: list[Line] = []
    for visit in layout.visits:
        if visit.before is None:
            continue
        before = by_name[visit.before]
        for branch in visit.branches:
            start, end = layout.edge(before, right=True), layout.edge(visit, right=False)
            way = swung(
                (start[0], start[1] + layout.offset(branch, before.branches)),
                (end[0], end[1] + layout.offset(branch, visit.branches)),
            )
            found.append(Line(visit.before, visit.name, stroke=layout.stroke(branch), arrow=False, way=way))
    return found


def stacked(name: str, pictures: Sequence[Picture]) -> Picture:
    """One picture of all. A name that an earlier one has too gets the number of its picture."""
    boxes: list[Box] = []
    lines: list[Line] = []
    used: set[str] = set()
    bottom = 0.0
    for number, picture in enumerate(pictures, 1):
        top = max(_middle(box)[1] for box in picture.boxes)
        down = bottom - _APART - top if boxes else 0.0
        names = {box.name: f"{box.name} ({number})" if box.name in used else box.name for box in picture.boxes}
        for box in picture.boxes:
            x, y = _middle(box)
            boxes.append(replace(box, name=names[box.name], at=(x, y + down)))
        lines += [
            replace(line, tail=names[line.tail], head=names[line.head], way=moved(line.way, down))
            for line in picture.lines
        ]
        used |= set(names.values())
        bottom = min(_middle(box)[1] for box in boxes)
    return Picture(name, tuple(boxes), tuple(lines), flow=None)


def _middle(box: Box) -> Point:
    assert box.at is not None
    return box.at
