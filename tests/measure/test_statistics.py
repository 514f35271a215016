"""The scale of a table, and what counts as busy."""

from __future__ import annotations

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from archdsl.cost.rows import Row
from archdsl.measure.runtime import Sample
from archdsl.measure.statistics import Load, fit_scale, seconds_of
from archdsl.measure.subjects import Whole

ROWS = tuple(Row("conv", (f"{channels}x8x8",), "x -> conv(c = 8)", "8x8x8") for channels in range(1, 5))
positive = st.floats(1e-6, 1.0)
times = st.fixed_dictionaries(dict.fromkeys(ROWS, positive))
wholes = st.lists(
    st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any), min_size=1, max_size=6, unique_by=tuple
).map(lambda all_counts: [_whole(counts) for counts in all_counts])


def _whole(counts: list[int]) -> Whole:
    return Whole("net", tuple((row, count) for row, count in zip(ROWS, counts, strict=True) if count))


@given(times, wholes, st.floats(0.5, 2.0))
def test_networks_that_are_the_sums_of_their_rows_times_a_factor_give_the_factor(
    rows: dict[Row, float], networks: list[Whole], factor: float
) -> None:
    sums = {each: each.seconds(rows) for each in networks}
    found = fit_scale({each: factor * total for each, total in sums.items() if total is not None}, rows)
    assert found is not None
    assert isclose(found.factor, factor, rel_tol=1e-9)
    assert found.networks == len(networks)
    if len(networks) > 1:
        assert found.error < 1e-9


@given(times, wholes, st.data())
def test_no_other_factor_has_a_smaller_squared_error(
    rows: dict[Row, float], networks: list[Whole], data: st.DataObject
) -> None:
    measured = {each: data.draw(positive) for each in networks}
    found = fit_scale(measured, rows)
    assert found is not None

    def squared(factor: float) -> float:
        return sum((factor * (each.seconds(rows) or 0) / seconds - 1) ** 2 for each, seconds in measured.items())

    assert all(squared(found.factor) <= squared(found.factor * other) + 1e-9 for other in (0.9, 0.99, 1.01, 1.1))


def test_a_network_without_one_of_its_rows_is_not_fitted_on() -> None:
    network = _whole([1, 1, 0, 0])
    assert fit_scale({network: 1.0}, {ROWS[0]: 1.0}) is None


def test_statistics() -> None:
    samples = [Sample(each, each) for each in (3.0, 1.0, 8.0)]
    assert seconds_of(samples, "minimum") == 1.0
    assert seconds_of(samples, "median") == 3.0


def test_a_machine_is_busy_where_others_had_its_time_or_calls_differ() -> None:
    quiet = [Sample(1.0, 1.0), Sample(1.01, 1.01)]
    assert not Load.of([quiet]).busy
    assert Load.of([[Sample(1.0, 1.5)] * 3]).busy
    assert Load.of([[Sample(1.0, 1.0), *[Sample(1.5, 1.5)] * 3]]).busy
    assert not Load.of([]).busy
