"""Two networks of one grid on its trellis: paths and cells that both have, that were added, and that were removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archdsl.diff import Change, Difference
from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import FAINT, PAPER, Box, Line, Picture, Point, Stroke, Text
from archdsl.render.model.splines import swung
from archdsl.render.views.change_marks import FILLS, MARKS, STROKES, amounts, explained
from archdsl.render.views.grid_surroundings import GridSurroundings
from archdsl.render.views.legends import Entry, legend, text_box
from archdsl.render.views.trellis import Drawing
from archdsl.render.views.trellis_layout import SKIP, TrellisLayout, Visit, visits
from archdsl.space import Trellis

_BOX: Point = (80, 52)
_OLD = " before"
"""Behind the names of what the first network has and the second has not."""


def one_trellis(difference: Difference) -> Trellis | None:
    """The grid of both networks, where each has that one alone; None where their pictures have nothing in common."""
    sides = (difference.before, difference.after)
    found = [list(side.program.trellises.values()) for side in sides]
    if any(len(each) != 1 or not side.graph.closed for each, side in zip(found, sides, strict=True)):
        return None
    (before,), (after,) = found
    return after if before == after else None


def trellis_difference(difference: Difference, trellis: Trellis) -> Picture:
    """The picture of a difference on the grid: green and `+`, red, dashed and `-`, amber and `~`."""
    return _Difference(difference, trellis).picture()


@dataclass(frozen=True)
class _Difference:
    difference: Difference
    trellis: Trellis

    def picture(self) -> Picture:
        drawing = Drawing(self.layout)
        found = [self.cell_box(visit) for visit in (*self.layout.visits, *self.layout.gone)]
        boxes = [
            *self.headings(),
            *drawing.rows_and_columns(),
            *drawing.places(),
            *found,
            *self.around(),
            *self.legend[0],
        ]
        lines = [*drawing.steps(), *drawing.reads(), *self.steps(), *self.heads.lines(), *self.legend[1]]
        return Picture(self.name, tuple(boxes), tuple(lines), flow=None)

    @cached_property
    def name(self) -> str:
        return f"{self.difference.before.name} -> {self.difference.after.name}"

    @cached_property
    def layout(self) -> TrellisLayout:
        """That of the second network, with lanes for what the first one alone has."""
        after = TrellisLayout(self.difference.after, self.trellis)
        here = [(visit.place, set(visit.branches)) for visit in after.visits]
        gone = [
            visit
            for visit in self.old
            if not any(
                place == visit.place and (branches & set(visit.branches) or not branches) for place, branches in here
            )
        ]
        names = {visit.name for visit in after.visits}
        renamed = tuple(
            replace(
                visit,
                name=visit.name + (_OLD if visit.name in names else ""),
                branches=tuple(branch + _OLD for branch in visit.branches),
            )
            for visit in gone
        )
        return TrellisLayout(self.difference.after, self.trellis, gone=renamed, size=_BOX)

    @cached_property
    def heads(self) -> GridSurroundings:
        return GridSurroundings(self.layout)

    @cached_property
    def old(self) -> tuple[Visit, ...]:
        return visits(self.difference.before, self.trellis, TrellisLayout(self.difference.before, self.trellis).cells)

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """By the path of a cell in the network that has it; the second one's where both have it."""
        return {cell.path: cell.change for cell in self.difference.cells}

    # Boxes ----------------------------------------------------------------------------------

    def headings(self) -> list[Box]:
        before, after, grid = self.difference.before.name, self.difference.after.name, self.layout.grid
        title = after if before == after else f"{before} → {after}"
        top = grid.above(grid.rows[0]) + 58
        found = [text_box("title", Text(title, 16, bold=True), (grid.left, top + 30))]
        if self.difference.totals is not None:
            found.append(text_box("subtitle", small(amounts(self.difference.totals), 10), (grid.left, top + 10)))
        return found

    def cell_box(self, visit: Visit) -> Box:
        change, was = self.change(visit)
        mark = f"{MARKS[change]} " if change in MARKS else ""
        at, stroke, fill = self.layout.grid.of_visit(visit), STROKES[change], FILLS.get(change, PAPER)
        if visit.cell is None:
            label = tuple(Text(line, 8) for line in wrapped(f"{mark}{visit.op}", 9, 2))
            return Box(visit.name, label, stroke=stroke, fill=fill, at=at, size=SKIP)
        lines = wrapped(f"{mark}{visit.op}", 14, 2)
        label = (*(Text(line, 9, bold=bool(mark)) for line in lines), small(visit.channels, 7))
        if was is not None:
            label = (*label, *(Text(line, 7) for line in wrapped(f"was {was}", 18, 1)))
        return Box(visit.name, label, stroke=stroke, fill=fill, at=at, size=self.layout.cell_size)

    def change(self, visit: Visit) -> tuple[Change, str | None]:
        """What became of a place, and what stood there if it was something else."""
        if visit in self.layout.gone:
            return Change.REMOVED, None
        before = self.before(visit)
        if before is None:
            return Change.ADDED, None
        if (before.op, before.channels) != (visit.op, visit.channels):
            return Change.CHANGED, before.op if before.op != visit.op else before.channels
        known = Change.SAME if visit.cell is None else self.changes.get(visit.cell, Change.SAME)
        return (Change.CHANGED if known is Change.CHANGED else Change.SAME), None

    def before(self, visit: Visit) -> Visit | None:
        """What the first network has at the place on one of the same branches."""
        here = [each for each in self.old if each.place == visit.place]
        same = (each for each in here if not each.branches or not set(each.branches).isdisjoint(visit.branches))
        return next(same, None)

    def around(self) -> list[Box]:
        """Stem and heads of the second network."""
        return [_marked(box, self.changes.get(box.name, Change.SAME)) for box in self.heads.boxes()]

    # Lines ----------------------------------------------------------------------------------

    def steps(self) -> Iterable[Line]:
        """Each step of a branch: as the branch is drawn where both networks take it."""
        new, old = _steps(self.layout.visits), _steps(self.old)
        for branch, tail, head in new:
            kept = any((branch, tail.place, head.place) == (each, one.place, other.place) for each, one, other in old)
            offset = self.layout.offset(branch, head.branches), self.layout.offset(branch, tail.branches)
            stroke = replace(self.layout.stroke(branch), width=1.6) if kept else STROKES[Change.ADDED]
            yield self.line(tail, head, stroke, offset)
        for branch, tail, head in old:
            kept = any((branch, tail.place, head.place) == (each, one.place, other.place) for each, one, other in new)
            if not kept:
                yield self.line(self.now(tail), self.now(head), STROKES[Change.REMOVED], (0, 0))

    def now(self, visit: Visit) -> Visit:
        """The box that stands for a visit of the first network."""
        boxes = (*self.layout.visits, *self.layout.gone)
        own = {*visit.branches, *(branch + _OLD for branch in visit.branches)}
        return next(each for each in boxes if each.place == visit.place and not own.isdisjoint(each.branches))

    def line(self, tail: Visit, head: Visit, stroke: Stroke, offset: tuple[float, float]) -> Line:
        start, end = self.layout.edge(tail, right=True), self.layout.edge(head, right=False)
        way = swung((start[0], start[1] + offset[1]), (end[0], end[1] + offset[0]))
        return Line(tail.name, head.name, stroke=stroke, arrow=False, way=way)

    @cached_property
    def legend(self) -> tuple[list[Box], list[Line]]:
        entries = [Entry(f"branch {branch}, in both", self.layout.stroke(branch)) for branch in self.layout.numbers]
        entries += [Entry(words, STROKES[change]) for change, words in explained()]
        entries.append(Entry("a step that the space allows", Stroke(FAINT, width=0.7)))
        grid = self.layout.grid
        return legend(entries, (grid.left, grid.below(grid.rows[-1]) - 34))


def _marked(box: Box, change: Change) -> Box:
    if change not in MARKS:
        return box
    first, *rest = box.label
    label = (replace(first, text=f"{MARKS[change]} {first.text}", bold=True), *rest)
    return replace(box, label=label, stroke=STROKES[change], fill=FILLS[change])


def _steps(found: Iterable[Visit]) -> list[tuple[str, Visit, Visit]]:
    by_name = {visit.name: visit for visit in found}
    return [
        (branch, by_name[visit.before], visit)
        for visit in by_name.values()
        if visit.before is not None
        for branch in visit.branches
    ]
