"""Interpolation: between measured rows and never beyond them, and exact where time is a power of each number."""

from __future__ import annotations

import re
from math import isclose, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cost.estimate import MissingRows, estimate
from archdsl.cost.interpolate import with_interpolated
from archdsl.cost.rows import Row, rows_of
from archdsl.cost.tables import Table
from archdsl.settings.costs import Unit
from tests.cost.invented import measurement, table
from tests.pipeline.spaces import SMALL, graph_of, samples

CHANNELS = (8, 16, 48)
HEIGHTS = (12, 24, 96)


def conv(reads: int, writes: int, height: int, body: str = "x -> conv(c = {}) -> bn -> relu") -> Row:
    shapes = [f"{channels}x{height}x{2 * height}" for channels in (reads, writes)]
    return Row("conv3x3", (shapes[0],), body.format(writes), shapes[1])


def power(row: Row, exponents: tuple[float, ...]) -> float:
    numbers = [float(each) for each in re.findall(r"[0-9]+", f"{row.reads[0]}x{row.gives.split('x')[0]}")]
    return prod(number**exponent for number, exponent in zip(numbers, exponents, strict=True))


exponents = st.tuples(*[st.floats(0, 2)] * 4)
GRID = [conv(reads, writes, height) for reads in CHANNELS for writes in CHANNELS for height in HEIGHTS]


@given(exponents, st.integers(8, 48), st.integers(8, 48), st.integers(12, 96))
def test_a_power_law_is_met_everywhere_between(law: tuple[float, ...], reads: int, writes: int, height: int) -> None:
    grid = table({row: power(row, law) for row in GRID})
    wanted = conv(reads, writes, height)
    found = with_interpolated(grid, [wanted])
    assert found.times[wanted] is not None
    assert isclose(found.times[wanted] or 0, power(wanted, law), rel_tol=1e-9)
    assert found.interpolated == (frozenset() if wanted in grid.times else {wanted})


@pytest.mark.parametrize(
    "beyond",
    [
        conv(7, 16, 24),
        conv(16, 49, 24),
        conv(16, 16, 97),
        conv(16, 16, 24, "x -> conv(c = {}, k = 1) -> bn -> relu"),
        Row("conv3x3", ("16x24x24",), "x -> conv(c = 16) -> bn -> relu", "16x24x24"),
    ],
    ids=str,
)
def test_nothing_is_said_beyond_or_of_another_kind(beyond: Row) -> None:
    grid = table(dict.fromkeys(GRID, 1.0))
    found = with_interpolated(grid, [beyond])
    assert found.missing([beyond]) == (beyond,)
    assert found.interpolated == frozenset()


@given(st.sets(st.sampled_from(GRID)), st.sampled_from(GRID))
def test_with_rows_left_out_a_time_lies_between_those_that_are_there(left_out: set[Row], wanted: Row) -> None:
    there = {row: power(row, (1, 0.5, 0.5, 1)) for row in GRID if row not in left_out and row != wanted}
    found = with_interpolated(table(there), [wanted])
    if wanted in found.interpolated:
        assert min(there.values()) <= (found.times[wanted] or 0) <= max(there.values())
    else:
        assert found.times == there


def test_one_after_another_nothing_is_taken_from_what_was_not_measured() -> None:
    grid = table({row: power(row, (1, 0.5, 0.5, 1)) for row in GRID})
    first, second = conv(12, 16, 24), conv(14, 16, 24)
    together = with_interpolated(grid, [first, second])
    assert together.interpolated == {first, second}
    assert with_interpolated(with_interpolated(grid, [first]), [second]) == together


def test_an_estimate_says_which_of_its_rows_were_not_measured() -> None:
    graph = graph_of(SMALL[0], samples(SMALL[0], 1)[0])
    needed = rows_of(graph)
    lacking = Table(Unit.MS, dict.fromkeys(needed[1:], 1.0), measurement())
    with pytest.raises(MissingRows):
        estimate(graph, lacking)
    filled = Table(Unit.MS, dict.fromkeys(needed, 1.0), measurement(), interpolated=frozenset(needed[:1]))
    found = estimate(graph, filled)
    assert {row.use.row for row in found.rows if row.interpolated} == {needed[0]}
    assert sum(cell.interpolated for cell in found.cells()) == found.interpolated > 0
