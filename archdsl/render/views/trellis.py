"""A grid as a trellis: every place and step thin, the path of each branch bold (FasterSeg, figure 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from archdsl.diff import Side
from archdsl.render.model.labels import resolution, small, wrapped
from archdsl.render.model.picture import Box, Line, Outline, Picture, Text
from archdsl.render.model.splines import swung
from archdsl.render.model.style import FAINT, MUTED, TINT, Dash, Stroke
from archdsl.render.views.branch_paths import cell_boxes, strokes
from archdsl.render.views.grid import CELL
from archdsl.render.views.grid_surroundings import EARLIER, Heads
from archdsl.render.views.stroke_legend import Entry, legend, written
from archdsl.render.views.trellis_layout import Sheet
from archdsl.render.views.vertical_stack import below_each_other
from archdsl.space import Asked, Place, QuestionKind, Select, Trellis

_GREY = Stroke(FAINT, Dash.SOLID, 0.7)


def trellis_picture(side: Side, trellis: Trellis) -> Picture:
    """The picture of a grid: its paths where it is answered, else its places with their questions."""
    return _Drawing(Sheet(side, trellis)).picture()


def trellis_pictures(side: Side) -> Picture:
    """The pictures of all grids of a text on one sheet, one below the other."""
    found = [trellis_picture(side, trellis) for trellis in side.program.trellises.values()]
    return found[0] if len(found) == 1 else below_each_other(side.name, found)


@dataclass(frozen=True)
class _Drawing:
    sheet: Sheet

    def picture(self) -> Picture:
        heads = Heads(self.sheet)
        boxes = [*self.headings(), *self.places(), *cell_boxes(self.sheet), *heads.boxes(), *self.legend[0]]
        lines = [*self.steps(), *strokes(self.sheet), *heads.lines(), *self.legend[1]]
        return Picture(self.sheet.side.name, tuple(boxes), tuple(lines), flow=None)

    # Places ---------------------------------------------------------------------------------

    def headings(self) -> list[Box]:
        side, grid = self.sheet.side, self.sheet.grid
        kind = f"of {side.program.name}" if side.program.name != side.name else "a space"
        top = grid.above(grid.rows[0]) + 58
        about = f"{kind}, {self.sheet.trellis.name} of {len(grid.columns)} layers"
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
        """Of the maps that enter the cells of a row: what their sources are chosen among, else what they read."""
        wanted = {self.sheet.trellis.spell(place) for place in self.sheet.trellis.sources if place[1:] == row}
        program = self.sheet.side.program
        inside = [node for node in program.nodes if node.frames and node.frames[0].name in wanted]
        for node in inside:
            match node.payload:
                case Select(Asked(path), _) if program.questions[path].kind is QuestionKind.SOURCE:
                    return resolution(node.shape, self.sheet.image)
                case _:
                    pass
        entering = (program.nodes[index] for node in inside for index in node.inputs)
        shapes = [node.shape for node in entering if not node.frames or node.frames[0].name not in wanted]
        return resolution(shapes[0], self.sheet.image) if shapes else ""

    def places(self) -> list[Box]:
        if self.sheet.side.graph.closed:
            visited = {visit.place for visit in self.sheet.visits}
            return [
                Box(
                    spelled,
                    outline=Outline.DOT,
                    stroke=_GREY,
                    fill=FAINT,
                    at=self.sheet.grid.centre(place),
                    size=(6, 6),
                )
                for spelled, place in self.sheet.spelled.items()
                if place not in visited
            ]
        return [self.asking(spelled, place) for spelled, place in self.sheet.spelled.items()]

    def asking(self, spelled: str, place: Place) -> Box:
        """A place whose questions are open, and how many."""
        kinds = [
            str(question.kind)
            for path, question in self.sheet.side.program.questions.items()
            if path.within(self.sheet.trellis.at(place))
        ]
        plural = "" if len(kinds) == 1 else "s"
        label = (Text(f"{len(kinds)} question{plural}", 8), *(small(line, 7) for line in wrapped(", ".join(kinds), 17)))
        if not kinds and spelled in self.sheet.cells:
            label = (small(self.sheet.cells[spelled].definition),)
        return Box(spelled, label, stroke=Stroke(MUTED), fill=TINT, at=self.sheet.grid.centre(place), size=CELL)

    def steps(self) -> list[Line]:
        """Every step that a path could take."""
        reach = 3 if self.sheet.side.graph.closed else CELL[0] / 2
        found: list[Line] = []
        for spelled, place in self.sheet.spelled.items():
            for source in dict.fromkeys(self.sheet.trellis.sources[place].values()):
                start, end = self.sheet.grid.centre(source), self.sheet.grid.centre(place)
                way = swung((start[0] + reach, start[1]), (end[0] - reach, end[1]))
                tail, head = self.anchor(self.sheet.trellis.spell(source)), self.anchor(spelled)
                found.append(Line(tail, head, stroke=_GREY, arrow=False, way=way))
        return found

    def anchor(self, spelled: str) -> str:
        """The box that stands at a place."""
        at = [visit.name for visit in self.sheet.visits if visit.place == self.sheet.spelled[spelled]]
        return at[0] if at else spelled

    # Legend ---------------------------------------------------------------------------------

    @cached_property
    def legend(self) -> tuple[list[Box], list[Line]]:
        return legend(self.entries(), (self.sheet.grid.left, self.sheet.grid.below(self.sheet.grid.rows[-1]) - 34))

    def entries(self) -> list[Entry]:
        found = [Entry(f"branch {branch}", self.sheet.stroke(branch)) for branch in self.sheet.numbers]
        if self.sheet.visits:
            if len(self.sheet.numbers) > 1:
                found.append(Entry("strokes side by side, grey cell: computed once for both", None))
            found.append(Entry("dashed box: no op, the map is handed on", None))
            found.append(Entry("64 → 128: channels in and out", None))
            found.append(Entry("an earlier map, read by a head", EARLIER))
        else:
            found += [Entry(text, None) for text in self.asked()]
        if any(each.auxiliary for each in self.sheet.outside):
            found.append(Entry("auxiliary, trained with and not exported", Stroke(MUTED, Dash.DASHED, 1.2)))
        return [*found, Entry("a step that the space allows", _GREY)]

    def asked(self) -> list[str]:
        """Each kind of question with its candidates, where all that are of the kind have the same."""
        program = self.sheet.side.program
        questions = list(program.questions.values())
        if len(program.trellises) > 1:
            places = [self.sheet.trellis.at(place) for place in self.sheet.trellis.sources]
            ends = [branch.end for branch, ends in program.branches.items() if ends.trellis == self.sheet.trellis.scope]
            questions = [
                each for each in questions if each.path in ends or any(each.path.within(place) for place in places)
            ]
        found = [f"{len(questions)} questions"]
        for kind in (QuestionKind.OPERATOR, QuestionKind.WIDTH, QuestionKind.SOURCE):
            sets = [question.answers for question in questions if question.kind is kind]
            if sets and len(set(sets)) == 1:
                found.append(f"{len(sets)} × {kind}: one of {', '.join(sets[0])}")
            elif sets:
                found.append(f"{len(sets)} × {kind}: up to {max(map(len, sets))} candidates")
        return found
