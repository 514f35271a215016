"""Tables put together and compared: nothing is lost, and what was measured otherwise is refused."""

from __future__ import annotations

from dataclasses import replace
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cost.merge import NotTogether, merge, merge_scales
from archdsl.cost.rows import Row
from archdsl.cost.table_diff import table_difference
from archdsl.cost.tables import Calibration, Fit, Scale, Table, empty
from archdsl.settings.costs import Unit
from tests.cost.invented import measurement, table

ROWS = [Row("conv", (f"{channels}x8x8",), "x -> conv(c = 8)", "8x8x8") for channels in range(1, 6)]
times = st.dictionaries(st.sampled_from(ROWS), st.floats(1e-3, 1e3))
units = st.sampled_from(Unit)
scales = st.builds(Scale, factor=st.floats(0.5, 2), error=st.floats(0, 0.2), networks=st.integers(1, 9))


@given(times, times, units, units)
def test_each_row_is_that_of_the_first_table_that_has_it(
    one: dict[Row, float], other: dict[Row, float], unit: Unit, unit_of_other: Unit
) -> None:
    first, second = table(one, unit), table(other, unit_of_other)
    found = merge([first, second])
    assert set(found.times) == one.keys() | other.keys()
    for row in found.times:
        expected = first.seconds(row) if row in one else second.seconds(row)
        assert isclose(found.seconds(row) or 0, expected or 0)
    assert merge([first]) == replace(first, memory={})
    assert merge([first, first]).times == first.times


def test_networks_of_all_tables_are_kept_in_one_unit() -> None:
    measured = Calibration(network="narrow", time=2.0, ops={"conv": 1.0, "resize": 0.5})
    one = replace(table({ROWS[0]: 2.0}, Unit.MS), calibration=(measured,))
    other = replace(table({ROWS[1]: 2.0}, Unit.US), calibration=(measured,))
    first, second = merge([one, other]).calibration
    assert first == measured
    assert second.time == pytest.approx(2e-3)
    assert second.sum == pytest.approx(1.5e-3)


def test_a_time_comes_before_none_and_memory_stays() -> None:
    waiting = empty(ROWS)
    known = replace(table({ROWS[0]: 2.0}), memory={ROWS[0]: 64})
    for order in ([waiting, known], [known, waiting]):
        found = merge(order)
        assert found.times == {**dict.fromkeys(ROWS), ROWS[0]: 2.0}
        assert found.memory == {ROWS[0]: 64}
        assert found.measured == known.measured


@given(st.lists(scales, min_size=1, max_size=4), st.data())
def test_the_error_of_a_merged_factor_is_a_bound(found: list[Scale], data: st.DataObject) -> None:
    """For networks that have just the error that each table says."""
    merged = merge_scales(found)
    assert merged is not None
    errors: list[float] = []
    for scale in found:
        for _ in range(scale.networks):
            sign = data.draw(st.sampled_from([-1, 1]))
            errors.append(abs(merged.factor / scale.factor * (1 + sign * scale.error) - 1))
    assert sum(errors) / len(errors) <= merged.error + 1e-9
    assert merged.networks == sum(scale.networks for scale in found)


@pytest.mark.parametrize(
    ("name", "value", "mixable"),
    [
        ("device", "another", True),
        ("runtime", "another", True),
        ("version", "1", True),
        ("precision", "fp16", False),
        ("threads", 2, False),
        ("clock", "wall", False),
        ("statistic", "median", False),
        ("batch_norm", "kept", False),
        ("constants", "folded", False),
        ("dead_code", "removed", False),
    ],
)
def test_what_was_measured_otherwise_is_refused_unless_asked(name: str, value: object, mixable: bool) -> None:
    one = table({ROWS[0]: 1.0})
    other = replace(table({ROWS[1]: 1.0}), measured=measurement().model_copy(update={name: value}))
    with pytest.raises(NotTogether, match=f"{name.replace('_', ' ')}: .* and {value}"):
        merge([one, other])
    with pytest.raises(NotTogether):
        table_difference(one, other, tolerance=0.1)
    if mixable:
        merged = merge([one, other], mixed=True).measured
        assert merged is not None
        assert getattr(merged, name).endswith(f" and {value}")
        assert table_difference(one, other, tolerance=0.1, mixed=True)
    else:
        with pytest.raises(NotTogether):
            merge([one, other], mixed=True)


def test_fitted_tables_are_refused() -> None:
    fit = Fit(source="net.csv", networks=10, error=0.1, rank_correlation=0.9, constants="computed", dead_code="run")
    fitted = Table(Unit.MS, {ROWS[0]: 1.0}, fitted=fit)
    with pytest.raises(NotTogether, match="fitted"):
        merge([table({ROWS[0]: 1.0}), fitted], mixed=True)


@given(times, times, units)
def test_a_difference_has_every_row_once(one: dict[Row, float], other: dict[Row, float], unit: Unit) -> None:
    found = table_difference(table(one), table(other, unit), tolerance=0.1)
    both = {each.row for each in found.both}
    assert both == one.keys() & other.keys()
    assert set(found.only_before) == one.keys() - other.keys()
    assert set(found.only_after) == other.keys() - one.keys()
    for each in found.both:
        assert isclose(each.ratio, other[each.row] * unit.seconds / (one[each.row] * Unit.MS.seconds))
        assert (each in found.changed) == (max(each.ratio, 1 / each.ratio) > 1.1)
    assert bool(found) == bool(found.changed or one.keys() ^ other.keys())
    assert not table_difference(table(one), table(one), tolerance=0.0)
