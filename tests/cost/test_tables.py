"""Tables: written and read alike, strict, one row a line, and an estimate is the sum of its rows."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.cost.estimate import MissingRows, estimate
from archdsl.cost.graph_passes import AS_WRITTEN
from archdsl.cost.rows import Row, rows_of, uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import Calibration, Table, TableUnreadable, empty, parse_table, read_table, table_bytes
from archdsl.settings.costs import Unit
from tests.cost.invented import SCALE, measurement, numbered, table
from tests.pipeline.spaces import SMALL, Case, graph_of, loaded, samples

FILE = Path("device.json")
FASTERSEG = SMALL[0]

shapes = st.tuples(*[st.integers(1, 4096)] * 3).map(lambda lengths: "x".join(map(str, lengths)))
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1, max_size=20)
rows = st.builds(Row, op=words, reads=st.lists(shapes, min_size=1, max_size=3).map(tuple), body=words, gives=shapes)
times = st.none() | st.floats(1e-9, 1e9)
measurements = st.sampled_from([measurement(), measurement(SCALE)])
calibrations = st.builds(
    Calibration,
    network=words,
    time=st.floats(1e-9, 1e9),
    ops=st.dictionaries(words, st.floats(1e-9, 1e9), min_size=1, max_size=3),
)
tables = st.dictionaries(rows, st.tuples(times, st.none() | st.integers(0, 2**40)), max_size=5).flatmap(
    lambda found: st.builds(
        Table,
        unit=st.sampled_from(Unit),
        times=st.just({row: time for row, (time, _) in found.items()}),
        measured=measurements,
        memory=st.just({row: memory for row, (_, memory) in found.items() if memory is not None}),
        calibration=st.lists(calibrations, max_size=3).map(tuple),
    )
)


@given(tables)
def test_what_is_written_reads_back_and_is_canonical(written: Table) -> None:
    data = table_bytes(written)
    found = parse_table(data, FILE)
    assert found == written
    assert table_bytes(found) == data
    other = replace(written, times=dict(reversed(list(written.times.items()))))
    assert table_bytes(other) == data


@given(tables)
def test_each_row_stands_on_a_line_of_its_own(written: Table) -> None:
    lines = table_bytes(written).decode().splitlines()
    assert sum(line.startswith('    {"op": ') for line in lines) == len(written.times)


def content() -> dict[str, Any]:
    row = Row("conv1x1", ("3x8x8",), "x -> conv(c = 8, k = 1) -> bn -> relu", "8x8x8")
    return json.loads(table_bytes(table({row: 1.5})))


def refused(data: bytes) -> str:
    with pytest.raises(TableUnreadable) as found:
        parse_table(data, FILE)
    return str(found.value).removeprefix("`device.json` is no cost table: ")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), "a manifest", "`format` has to be 'archdsl cost table'"),
        (("format_version",), True, "it has format version true, and this archdsl knows 1"),
        (("format_version",), 2, "it has format version 2, and this archdsl knows 1"),
        (("unit",), "h", "`unit` has to be 'ns', 'us', 'ms' or 's'"),
        (("more",), 1, "`more` is not known here"),
        (("rows", 0, "time"), 0, "`rows[1].time` has to be greater than 0"),
        (("rows", 0, "time"), 1e308, "`rows[1].time` has to be at most 1e+19"),
        (("rows", 0, "time"), 1e13, "`rows[1].time` has to be from 1e-18 to 1e+09 seconds, and is 1e+13 ms"),
        (("rows", 0, "time"), 5e-324, "`rows[1].time` has to be from 1e-18 to 1e+09 seconds, and is 4.94066e-324 ms"),
        (("rows", 0, "time"), -1.5, "`rows[1].time` has to be greater than 0"),
        (("rows", 0, "memory"), -1, "`rows[1].memory` has to be at least 0"),
        (("rows", 0, "time"), "1", "`rows[1].time` has to be a valid number"),
        (("rows", 0, "time"), float("nan"), "`rows[1].time` has to be a finite number"),
        (("rows", 0, "memory"), 10**400, "`rows[1].memory` has to be at most 1,152,921,504,606,846,976"),
        (("rows", 0, "gives"), "1" + "0" * 5000 + "x8x8", "`rows[1].gives` has to be a shape such as `64x128x256`"),
        (("rows", 0, "gives"), "8x8", "`rows[1].gives` has to be a shape such as `64x128x256`"),
        (("rows", 0, "reads"), ["x"], "`rows[1].reads[1]` has to be a shape such as `64x128x256`"),
        (("measured", "threads"), 0, "`measured.threads` has to be at least 1"),
        (("measured", "device"), "a\nb", "`measured.device` has to be one line that says something"),
        (("measured",), None, "rows have times, and `measured` does not say where they were measured"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_with_its_place(place: tuple[str | int, ...], value: object, message: str) -> None:
    broken = content()
    inner: Any = broken
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    assert refused(json.dumps(broken).encode()) == message


def test_a_second_list_of_rows_is_refused() -> None:
    """JSON readers take the last one, which here would empty the table."""
    text = json.dumps(content())
    assert refused(f'{text[:-1]}, "rows": []}}'.encode()) == "`rows` stands there twice"


def test_a_table_of_50_mb_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "device.json"
    file.write_bytes(table_bytes(table({})) + b" " * (50 << 20))
    with pytest.raises(TableUnreadable, match="it has more than 8 MiB"):
        read_table(file)


def test_what_is_left_out_is_named() -> None:
    broken = content()
    del broken["measured"]["clock"]
    assert refused(json.dumps(broken).encode()) == "`measured.clock` is missing"


def test_a_table_that_does_not_say_what_its_runtime_leaves_out_is_of_one_that_leaves_out_nothing() -> None:
    old = content()
    del old["measured"]["constants"], old["measured"]["dead_code"]
    assert parse_table(json.dumps(old).encode(), FILE).passes == AS_WRITTEN


def test_a_row_that_stands_there_twice_is_refused_whatever_it_is_called() -> None:
    broken = content()
    broken["rows"].append(broken["rows"][0] | {"op": "conv_bn_relu", "time": 2.0})
    assert refused(json.dumps(broken).encode()) == ("row 2 stands there twice: `conv_bn_relu` from 3x8x8 to 8x8x8")


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"rows": ' + b"9" * 5000 + b"}"])
def test_foreign_files_are_refused(data: bytes) -> None:
    assert refused(data)


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "device.json")


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_an_estimate_is_the_sum_of_its_rows(case: Case) -> None:
    graph = graph_of(case, samples(case, 1)[0])
    prices = numbered(rows_of(graph))
    found = estimate(graph, prices)
    by_hand = [prices.times[use.row] for use in uses(graph)]
    assert isclose(1e3 * found.seconds, sum(time for time in by_hand if time is not None))
    assert isclose(sum(cell.seconds for cell in found.cells()), found.seconds)
    assert sum(cell.uses for cell in found.cells()) == len(found.rows)
    assert sum(branch.seconds for branch in found.branches()) <= found.seconds


def test_unit_and_factor_are_applied() -> None:
    graph = graph_of(FASTERSEG, samples(FASTERSEG, 1)[0])
    one = dict.fromkeys(rows_of(graph), 8.0)
    count = len(uses(graph))
    assert isclose(estimate(graph, table(one)).seconds, 8e-3 * count)
    assert isclose(estimate(graph, table(one, Unit.US, SCALE)).seconds, 4e-6 * count)


def test_without_any_one_row_there_is_no_estimate() -> None:
    graph = graph_of(FASTERSEG, samples(FASTERSEG, 1)[0])
    whole = numbered(rows_of(graph))
    for row in whole.times:
        others = {each: time for each, time in whole.times.items() if each != row and time is not None}
        for lacking in (table(others), Table(Unit.MS, {**whole.times, row: None}, whole.measured)):
            with pytest.raises(MissingRows) as found:
                estimate(graph, lacking)
            assert found.value.rows == (row,)


def test_an_empty_table_has_all_rows_and_no_times() -> None:
    wanted = rows_of_space(loaded(FASTERSEG).program)
    found = parse_table(table_bytes(empty(wanted)), FILE)
    assert found.missing(wanted) == wanted
    assert found.unused(wanted) == ()
