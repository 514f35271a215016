"""Tables filled by measuring: complete, resumable however the command ends, and never mixed."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from archdsl.cli.exits import Exit
from archdsl.cost.estimate import estimate
from archdsl.cost.tables import read_table
from archdsl.measure.statistics import factor_of
from archdsl.pipeline import load
from tests.measure.small import ROWS, fill, space_in, started

MANY = "100000"
"""Rounds that take longer than any test."""
LIMIT_S = 60


def samples(folder: Path) -> list[bytes]:
    return (folder / "ort.samples.jsonl").read_bytes().splitlines(keepends=True)


def content(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "ort.json").read_bytes())


def wait_for(path: Path, lines: int) -> None:
    ends = time.monotonic() + LIMIT_S
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("runtime", ["ort", "eager"])
def test_every_row_of_a_space_is_measured_and_its_networks_have_an_estimate(runtime: str, tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "3", table="table.json", runtime=runtime) == Exit.FINE
    table = read_table(tmp_path / "table.json")
    assert len(table.times) == ROWS
    assert table.missing(table.times) == ()
    assert table.measured is not None and table.measured.scale is not None
    assert table.measured.rounds == 3
    assert table.measured.batch_norm == ("folded" if runtime == "ort" else "kept")
    assert table.measured.constants == ("folded" if runtime == "ort" else "computed")
    assert table.measured.dead_code == "run"
    ratios = [each.sum / each.time for each in table.calibration]
    assert len(ratios) == table.measured.scale.networks
    assert factor_of(ratios) == pytest.approx(table.factor, rel=1e-3), "these are what the factor is fitted on"
    assert fill(tmp_path, "--rounds", "3", table="table.json", runtime=runtime) == Exit.FINE
    assert read_table(tmp_path / "table.json").calibration == table.calibration
    network = space_in(tmp_path).with_name("one.arch")
    network.write_text(
        'archdsl 1\n\nuse "net.arch"\n\ngenotype one of net {\n  trunk[1..3].operator = conv1x1\n}\n', encoding="utf-8"
    )
    found = estimate(load(str(network)).network(), table)
    assert [row.use.row.op for row in found.rows].count("conv1x1") == 3
    assert found.seconds > 0


def test_a_row_takes_at_least_the_memory_of_its_own_map(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    table = read_table(tmp_path / "ort.json")
    assert set(table.memory) == set(table.times)
    for row, memory in table.memory.items():
        channels, height, width = map(int, row.gives.split("x"))
        assert memory >= 4 * channels * height * width


def test_what_is_there_is_not_measured_again_and_more_rounds_continue_it(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "2") == Exit.FINE
    before, table = samples(tmp_path), content(tmp_path)
    assert fill(tmp_path, "--rounds", "2") == Exit.FINE
    assert samples(tmp_path) == before
    assert content(tmp_path) == table
    assert fill(tmp_path, "--rounds", "4") == Exit.FINE
    after = samples(tmp_path)
    assert after[: len(before)] == before
    assert content(tmp_path)["measured"]["rounds"] == 4


def test_a_table_without_its_samples_keeps_its_rows(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "2") == Exit.FINE
    (tmp_path / "ort.samples.jsonl").unlink()
    table = content(tmp_path)
    first, *others = table["rows"]
    (tmp_path / "ort.json").write_text(json.dumps(table | {"rows": [{**first, "time": None}, *others]}))
    assert fill(tmp_path, "--rounds", "3") == Exit.FINE
    found = content(tmp_path)
    assert found["rows"][1:] == others
    assert found["rows"][0]["time"] is not None
    assert found["measured"]["rounds"] == 2


def test_without_calibration_there_is_no_scale(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "1", "--calibrate", "0") == Exit.FINE
    assert content(tmp_path)["measured"]["scale"] is None


def test_a_budget_ends_it_and_the_same_command_continues(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", MANY, "--budget", "1s") == Exit.FINDINGS
    before = samples(tmp_path)
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    assert samples(tmp_path)[: len(before)] == before


# How it can end -------------------------------------------------------------------------------------


def test_killed_while_it_measures_it_loses_nothing(tmp_path: Path) -> None:
    process = started(tmp_path, "--rounds", MANY)
    wait_for(tmp_path / "ort.samples.jsonl", lines=200)
    process.kill()
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == -signal.SIGKILL
    left = samples(tmp_path)
    whole = [line for line in left if line.endswith(b"\n")]
    assert read_table(tmp_path / "ort.json").missing(read_table(tmp_path / "ort.json").times) == ()
    with (tmp_path / "ort.samples.jsonl").open("ab") as file:
        file.write(b"[1, 0.00")  # as if it had been killed within a line
    assert fill(tmp_path, "--rounds", "2") == Exit.FINE
    after = samples(tmp_path)
    assert after[: len(whole)] == whole
    assert all(line.endswith(b"\n") for line in after)
    assert content(tmp_path)["measured"]["rounds"] > 2


def test_killed_before_the_first_round_ends_it_goes_on_from_its_samples(tmp_path: Path) -> None:
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    lines = samples(tmp_path)
    taken = [number for number, line in enumerate(lines) if line.startswith(b"[")]
    kept = lines[: taken[3] + 1]
    (tmp_path / "ort.samples.jsonl").write_bytes(b"".join(kept))
    (tmp_path / "ort.json").unlink()
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    after = samples(tmp_path)
    assert after[: len(kept)] == kept
    assert sum(line.startswith(b"[") for line in after) == len(taken)
    assert len(read_table(tmp_path / "ort.json").times) == ROWS


def test_ctrl_c_leaves_a_table(tmp_path: Path) -> None:
    process = started(tmp_path, "--rounds", MANY)
    wait_for(tmp_path / "ort.samples.jsonl", lines=100)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == Exit.INTERRUPTED
    assert b"the same command continues" in said
    measured = read_table(tmp_path / "ort.json").measured
    assert measured is not None and measured.rounds > 1


def test_two_at_once_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = started(tmp_path, "--rounds", MANY)
    try:
        wait_for(tmp_path / "ort.samples.jsonl", lines=10)
        assert fill(tmp_path) == Exit.USAGE
        assert "another process is measuring" in capsys.readouterr().err
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


# What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "0.1"),
        ("device", "another"),
        ("runtime", "OpenVINO"),
        ("threads", 2),
        ("batch_norm", "kept"),
        ("constants", "computed"),
    ],
)
@pytest.mark.parametrize("file", ["ort.json", "ort.samples.jsonl"])
def test_a_table_measured_otherwise_is_not_added_to(
    file: str, name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    path = tmp_path / file
    first, *rest = path.read_bytes().splitlines(keepends=True) if file.endswith("l") else [path.read_bytes()]
    head = json.loads(first)
    head["measured"][name] = value
    path.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(rest))
    before = path.read_bytes()
    assert fill(tmp_path, "--rounds", "2") == Exit.USAGE
    assert f"{name.replace('_', ' ')}: {value} and " in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("change", ["negative", "nan", "duplicate"])
def test_a_table_with_bad_rows_is_refused_and_stays(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    table = content(tmp_path)
    match change:
        case "negative":
            table["rows"][0]["time"] = -1.0
        case "nan":
            table["rows"][0]["time"] = float("nan")
        case _:
            table["rows"].append(table["rows"][0])
    (tmp_path / "ort.json").write_text(json.dumps(table))
    before = (tmp_path / "ort.json").read_bytes()
    assert fill(tmp_path, "--rounds", "2") == Exit.USAGE
    assert "is no cost table: " in capsys.readouterr().err
    assert (tmp_path / "ort.json").read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        b"[0, -1.0, 1.0]",
        b"[0, NaN, 1.0]",
        b"[0, 1e999, 1.0]",
        b"[0, 1.0]",
        b"[99, 1.0, 1.0]",
        b"[-1, 1.0, 1.0]",
        b'{"memory": -1, "of": 0}',
        b'{"memory": 1, "of": 99}',
        b'{"network": "one", "rows": [[0, 1e999]]}',
        b'{"network": "one", "rows": [[99, 1]]}',
        b'{"op": 3, "reads": [], "body": "", "gives": ""}',
        b"[" * 5_000,
        b"\xff",
        b"{}",
        b"x",
    ],
)
def test_samples_that_are_none_are_refused_and_stay(
    line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(tmp_path, "--rounds", "1") == Exit.FINE
    path = tmp_path / "ort.samples.jsonl"
    before = path.read_bytes() + line + b"\n"
    path.write_bytes(before)
    assert fill(tmp_path, "--rounds", "2") == Exit.USAGE
    assert "is no sample" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "runtime", "code"),
    [
        ((), "trt", Exit.USAGE),
        (("--device", "cuda"), "ort", Exit.USAGE),
        (("--budget", "soon"), "ort", Exit.USAGE),
        (("--budget", ""), "ort", Exit.USAGE),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    options: tuple[str, ...], runtime: str, code: Exit, tmp_path: Path
) -> None:
    assert fill(tmp_path, *options, runtime=runtime) == code
    assert not (tmp_path / "ort.json").exists()
