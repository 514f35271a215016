"""Two cost tables compared row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from archdsl.cost.merge import require_alike
from archdsl.cost.rows import Row
from archdsl.cost.tables import Table, ordered


@dataclass(frozen=True, slots=True)
class RowRatio:
    """A row that both tables have."""

    row: Row
    before_s: float
    after_s: float

    @property
    def ratio(self) -> float:
        return self.after_s / self.before_s


@dataclass(frozen=True, slots=True)
class TableDifference:
    """Rows as they were measured, without the factors of the tables."""

    before: Table
    after: Table
    both: tuple[RowRatio, ...]
    only_before: tuple[Row, ...]
    """Rows that the other table has no time for."""
    only_after: tuple[Row, ...]
    tolerance: float
    """Ratios from 1 / (1 + tolerance) to 1 + tolerance are no difference."""

    @property
    def changed(self) -> tuple[RowRatio, ...]:
        """Rows whose times differ, the largest ratios first."""
        beyond = [each for each in self.both if self._beyond(each.ratio)]
        return tuple(sorted(beyond, key=lambda each: -max(each.ratio, 1 / each.ratio)))

    def _beyond(self, ratio: float) -> bool:
        return max(ratio, 1 / ratio) > 1 + self.tolerance

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.changed or self.only_before or self.only_after)

    def by_op(self) -> Sequence[tuple[str, int, float]]:
        """Each op with how many rows both tables have of it, and the median of their ratios."""
        ratios: dict[str, list[float]] = {}
        for each in self.both:
            ratios.setdefault(each.row.op, []).append(each.ratio)
        return [(op, len(found), median(found)) for op, found in sorted(ratios.items())]

    @property
    def median(self) -> float | None:
        """None where no row is in both."""
        return median(each.ratio for each in self.both) if self.both else None


def table_difference(before: Table, after: Table, *, tolerance: float, mixed: bool = False) -> TableDifference:
    """Raises NotTogether where the tables were measured otherwise and that was not asked for."""
    require_alike((before, after), mixed=mixed)
    times = [
        {row: s for row in ordered(table.times) if (s := table.seconds(row)) is not None} for table in (before, after)
    ]
    one, other = times
    return TableDifference(
        before,
        after,
        tuple(RowRatio(row, seconds, other[row]) for row, seconds in one.items() if row in other),
        tuple(row for row in one if row not in other),
        tuple(row for row in other if row not in one),
        tolerance,
    )
