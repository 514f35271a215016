"""Where the places of a grid stand on paper: layers left to right, its other index top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.render.model.picture import Point
from archdsl.render.views.trellis_cells import Visit
from archdsl.space import Place, Trellis

CELL: Point = (68, 39)
SKIP: Point = (36, 20)
"""A place that hands its map on."""
COLUMN = 86.0
LANE = 46.0
"""The height that one cell takes; branches that pass a row side by side have a lane each."""
GAP = 44.0


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

    @classmethod
    def of(cls, trellis: Trellis, visits: Sequence[Visit]) -> Grid:
        columns = tuple(sorted({place[0] for place in trellis.sources}))
        rows = tuple(sorted({place[1:] for place in trellis.sources}))
        lanes = {row: _lanes(row, visits) for row in rows}
        of_row = {row: max(1, len(lanes[row])) for row in rows}
        heights: dict[Place, float] = {}
        y = 0.0
        for row in rows:
            half = of_row[row] * LANE / 2
            heights[row] = y - half
            y -= 2 * half + GAP
        return cls(columns, rows, heights, lanes, of_row)

    def x(self, layer: int) -> float:
        return self.columns.index(layer) * COLUMN

    def centre(self, place: Place) -> Point:
        return (self.x(place[0]), self.heights[place[1:]])

    def of_visit(self, visit: Visit) -> Point:
        """In the lane of its branch, or in the middle of the lanes of all who share it."""
        x, y = self.centre(visit.place)
        lanes = self.lanes[visit.place[1:]]
        mine = [lanes.index(branch) for branch in visit.branches if branch in lanes]
        if not mine:
            return (x, y)
        return (x, y + LANE * ((len(lanes) - 1) / 2 - sum(mine) / len(mine)))

    def above(self, row: Place) -> float:
        """The upper edge of a row."""
        return self.heights[row] + self.of_row[row] * LANE / 2

    def below(self, row: Place) -> float:
        """The lower edge of a row."""
        return self.heights[row] - self.of_row[row] * LANE / 2

    @property
    def right(self) -> float:
        return self.x(self.columns[-1]) + CELL[0] / 2

    @property
    def left(self) -> float:
        return -CELL[0] / 2


def _lanes(row: Place, visits: Sequence[Visit]) -> tuple[str, ...]:
    """Lanes are needed where one place of the row holds several cells."""
    crowds: dict[Place, list[Visit]] = {}
    for visit in visits:
        if visit.place[1:] == row:
            crowds.setdefault(visit.place, []).append(visit)
    crowded = [visit for crowd in crowds.values() if len(crowd) > 1 for visit in crowd]
    order = dict.fromkeys(branch for visit in visits for branch in visit.branches)
    return tuple(branch for branch in order if any(branch in visit.branches for visit in crowded))
