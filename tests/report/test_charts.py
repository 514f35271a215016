"""What charts show of the values that they are given."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.report.axes import Axis, log_ticks, ticks
from archdsl.report.charts import Chart, Line, apart, chart_svg, smoothed, thinned
from archdsl.report.scatter import Point, front, scatter_svg

VALUES = st.floats(-1e6, 1e6)
POINTS = st.lists(VALUES, min_size=1, max_size=400).map(lambda ys: tuple((float(x), y) for x, y in enumerate(ys)))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_inside_and_few(low: float, length: float) -> None:
    found = ticks(low, low + length)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-6 * length <= each <= low + 1.000001 * length for each in found)


@given(st.floats(1e-8, 1e3), st.floats(1.5, 1e6))
def test_ticks_of_a_logarithmic_axis_are_inside(low: float, factor: float) -> None:
    found = log_ticks(low, low * factor)
    assert len(found) >= 2
    assert all(0.99 * low <= each <= 1.01 * low * factor for each in found)


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_a_rounded_axis_holds_its_values(values: list[float]) -> None:
    axis = Axis.of(values, 200, 0).rounded()
    assert all(-1e-6 <= axis.at(value) <= 200 + 1e-6 for value in values)


@given(POINTS)
def test_thinned_lines_keep_both_ends_and_what_is_greatest_and_least(points: tuple[tuple[float, float], ...]) -> None:
    found = thinned(points, most=50)
    assert (found[0], found[-1]) == (points[0], points[-1])
    assert {min(y for _, y in points), max(y for _, y in points)} <= {y for _, y in found}
    assert set(found) <= set(points)
    assert len(found) <= 60


@given(POINTS)
def test_smoothed_values_lie_between_the_least_and_the_greatest(points: tuple[tuple[float, float], ...]) -> None:
    low, high = min(y for _, y in points), max(y for _, y in points)
    room = 1e-9 * max(1.0, abs(low), abs(high))
    assert all(low - room <= y <= high + room for _, y in smoothed(points))


def test_a_constant_stays_itself_when_it_is_smoothed() -> None:
    assert {round(y, 12) for _, y in smoothed(tuple((float(x), 0.3) for x in range(1000)))} == {0.3}


@given(st.lists(st.floats(0, 200), min_size=1, max_size=10).map(sorted))
def test_labels_never_overlap(wanted: list[float]) -> None:
    found = apart(wanted, 0, 200)
    assert all(after - before >= 15 - 1e-9 for before, after in pairwise(found))
    assert max(found) <= 200


@pytest.mark.parametrize("log", [False, True])
def test_a_chart_names_its_lines_and_ends(log: bool) -> None:
    lines = (Line("student", ((1, 2.5), (2, 1.5))), Line("teacher", ((1, 2.0), (2, 0.5))))
    root = ET.fromstring(chart_svg(Chart("loss", lines, log=log, marks=((0, "one"), (1, "two")), span=(0, 2))))
    texts = [each.text for each in root.iter("text")]
    assert {"student", "teacher", "one", "two", "step"} <= set(texts)
    assert root.findtext("title") == "loss: student 1.5, teacher 0.5"
    assert len(list(root.iter("polyline"))) == 2


def test_raw_values_stand_behind_smoothed_ones_unless_they_are_exact() -> None:
    points = tuple((float(x), float(x % 7)) for x in range(500))
    assert 'class="raw' in chart_svg(Chart("loss", (Line("", points),)))
    assert 'class="raw' not in chart_svg(Chart("rate", (Line("", points, exact=True),)))


def test_a_logarithmic_chart_leaves_out_what_it_cannot_show() -> None:
    assert chart_svg(Chart("rate", (Line("", ((0, 0.0), (1, -1.0))),), log=True)) == ""
    assert "polyline" in chart_svg(Chart("rate", (Line("", ((0, 0.0), (1, 0.1), (2, 0.01))),), log=True))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40))
def test_the_front_is_what_nothing_dominates(values: list[tuple[int, int]]) -> None:
    points = [Point(str(at), cost, score) for at, (cost, score) in enumerate(values)]
    found = front(points)

    def beats(one: Point, other: Point) -> bool:
        better = one.cost < other.cost or one.score > other.score
        return better and one.cost <= other.cost and one.score >= other.score

    best = {(each.cost, each.score) for each in points if not any(beats(other, each) for other in points)}
    assert [(each.cost, each.score) for each in found] == sorted(best)


def test_points_lead_to_what_is_known_of_them() -> None:
    root = ET.fromstring(scatter_svg([Point("a", 1, 50, "of-a"), Point("b", 2, 40)], "latency, ms", "accuracy"))
    assert [each.get("href") for each in root.iter("a")] == ["#of-a"]
    titles = [each.findtext("title") for each in root.iter("circle")]
    assert titles == ["a: accuracy 50, latency, ms 1, on the front", "b: accuracy 40, latency, ms 2"]
