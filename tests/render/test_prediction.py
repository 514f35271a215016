"""Predicted against measured: what stands where, and shares that sum to one."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.render import Box, Picture, Predicted, prediction_picture, render

times = st.floats(1e-3, 1e6)
networks = st.lists(st.tuples(times, times), min_size=1, max_size=12).map(
    lambda found: [Predicted(f"net_{number}", *both) for number, both in enumerate(found)]
)
ops = st.dictionaries(st.from_regex("[a-z0-9]{1,12}", fullmatch=True), times, min_size=1, max_size=30)


def boxes(picture: Picture, pattern: str) -> list[Box]:
    return [box for box in picture.boxes if re.match(pattern, box.name)]


def _number(label: str) -> float:
    return float(label.replace(",", ""))


def at(box: Box) -> tuple[float, float]:
    assert box.at is not None
    return box.at


@given(networks, ops)
def test_points_stand_as_their_times_do_between_the_ends_of_the_axes(
    found: list[Predicted], time_by_op: dict[str, float]
) -> None:
    picture = prediction_picture("table", [], "ms", found, time_by_op)
    points = boxes(picture, "net_")
    assert len(points) == len(found)
    ticks = [(at(box)[0], _number(box.label[0].text)) for box in boxes(picture, "legend x ")]
    (start, first), (end, last) = ticks[0], ticks[-1]
    for box, each in zip(points, found, strict=True):
        x, y = at(box)
        assert start - 1e-6 <= min(x, y) <= max(x, y) <= end + 1e-6
        assert (y > x) == (each.predicted > each.measured) or abs(y - x) < 1e-6
        rounding = 0.51 * (last - first) / (len(ticks) - 1)
        assert abs(first + (x - start) / (end - start) * (last - first) - each.measured) <= rounding


@given(networks, ops)
def test_the_bars_are_shares_of_all_time(found: list[Predicted], time_by_op: dict[str, float]) -> None:
    picture = prediction_picture("table", [], "ms", found, time_by_op)
    bars = boxes(picture, r"[a-z0-9 ]+: [<\d]")
    shares = [float(match[1]) for box in bars if (match := re.search(r": ([\d.]+) %", box.name))]
    assert sum(shares) == pytest.approx(100, abs=0.51 * len(bars))
    assert len(bars) == min(len(time_by_op), 14)


def test_it_is_drawn_and_says_its_units() -> None:
    found = [Predicted("narrow", 20.0, 21.0), Predicted("wide", 48.0, 45.0)]
    picture = prediction_picture("table.json", ["on a device"], "ms", found, {"conv": 40.0, "resize": 26.0})
    svg = render(picture, "svg")
    assert svg == render(picture, "svg")
    texts = {text.text for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"table.json", "on a device", "predicted, ms", "measured, ms", "conv", "61 %, 20.0 ms"} <= texts
