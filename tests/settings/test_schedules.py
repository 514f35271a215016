"""Schedules: where they begin and end, and which reach zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.settings.schedules import (
    Anneal,
    Constant,
    Cosine,
    Exponential,
    Linear,
    Moment,
    Poly,
    Schedule,
    Steps,
    Warmup,
    highest,
    reaches_zero,
    value_at,
)

FIRST, LAST = Moment(0.0, 0, 0), Moment(1.0, 50, 1000)
POSITIVE = st.floats(1e-6, 10.0)
BETWEEN = st.builds(Moment, st.floats(0, 1), st.integers(0, 49), st.integers(0, 999))


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [
        (Constant(0.3), 0.3, 0.3),
        (Linear(1.0, 0.2), 1.0, 0.2),
        (Anneal(3.0, 0.03), 3.0, 0.03),
        (Exponential(0.01, 0.978), 0.01, 0.01 * 0.978**50),
        (Cosine(0.025, 0.001), 0.025, 0.001),
        (Poly(0.005, 0.9), 0.005, 0.0),
        (Steps(0.1, (30, 60), 0.1), 0.1, 0.01),
        (Warmup(Constant(0.5), 100), 0.005, 0.5),
    ],
)
def test_where_it_begins_and_ends(schedule: Schedule, first: float, last: float) -> None:
    assert value_at(schedule, FIRST) == pytest.approx(first)
    assert value_at(schedule, LAST) == pytest.approx(last)


@given(POSITIVE, POSITIVE, BETWEEN)
def test_between_its_ends(start: float, end: float, moment: Moment) -> None:
    low, high = sorted((start, end))
    for schedule in (Linear(start, end), Anneal(start, end), Cosine(start, end)):
        assert low * (1 - 1e-9) <= value_at(schedule, moment) <= high * (1 + 1e-9)


@given(POSITIVE, BETWEEN)
def test_what_does_not_reach_zero_is_above_it_everywhere(start: float, moment: Moment) -> None:
    for schedule in (
        Constant(start),
        Anneal(start, 0.03),
        Exponential(start, 0.9),
        Steps(start, (3,)),
        Cosine(start, 1),
    ):
        assert not reaches_zero(schedule)
        assert value_at(schedule, moment) > 0


@pytest.mark.parametrize("schedule", [Poly(1.0), Cosine(1.0), Linear(1.0, 0.0), Constant(0.0), Warmup(Poly(1.0), 3)])
def test_what_reaches_zero_is_known(schedule: Schedule) -> None:
    assert reaches_zero(schedule)
    assert value_at(schedule, LAST) == 0.0


@given(
    st.sampled_from(
        [Constant(0.3), Linear(0.1, 2.0), Anneal(3.0, 0.03), Cosine(0.1, 0.2), Poly(0.5), Warmup(Poly(4.0), 9)]
    ),
    BETWEEN,
)
def test_no_value_is_above_the_highest(schedule: Schedule, moment: Moment) -> None:
    assert value_at(schedule, moment) <= highest(schedule) * (1 + 1e-9)
