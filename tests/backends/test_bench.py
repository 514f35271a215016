"""Compiled files that are timed; nothing here looks at how long anything takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl import api
from archdsl.backends.bench.timing import Spread
from archdsl.cli.main import run
from archdsl.weights import to_bytes

TEXT = """archdsl 1

space tiny() {
  in image: 3x16x32
  out logits = image -> conv(4)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small network as an ONNX file and as a torch file."""
    (tmp_path / "tiny.arch").write_text(TEXT, encoding="utf-8")
    for target in ("onnx", "torch"):
        api.compile(tmp_path / "tiny.arch", target, tmp_path / "out")
    return tmp_path / "out"


def plan(folder: Path) -> Path:
    """What could be a plan, for no GPU that there is."""
    place, data = folder / "tiny.rtx.plan", b"vtrt and more"
    place.write_bytes(data)
    sidecar = {
        "format_version": 1,
        "flavour": "rtx",
        "version": "1.7.0.0",
        "precision": "fp16",
        "compute_capabilities": ["SM00"],
        "inputs": [{"name": "image", "dtype": "float32", "shape": [1, 3, 16, 32]}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 4, 16, 32]}],
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (folder / "tiny.rtx.plan.json").write_text(json.dumps(sidecar), encoding="utf-8")
    return place


def test_a_folder_is_timed_file_by_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other.py").write_text("raise SystemExit(99)\n", encoding="utf-8")
    assert run(["bench", str(folder), "--runs", "4", "--format", "json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert [(Path(each["file"]).name, each["runtime"]) for each in files] == [
        ("tiny.onnx", "ONNX Runtime"),
        ("tiny.py", "torch"),
    ]
    for each in files:
        assert (each["input"], each["runs"], each["threads"]) == ([1, 3, 16, 32], 4, 1)
        assert each["version"] and each["device"] and each["load"]["before"] >= 0
        for clock in ("wall_ms", "cpu_ms"):
            assert 0 <= each[clock]["p10"] <= each[clock]["median"] <= each[clock]["p90"]


def test_people_read_what_was_measured_on_what(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", str(folder / "tiny.py"), "--runs", "4", "--input", "1x3x24x40", "--threads", "2"]) == 0
    words = capsys.readouterr().out
    assert "4 images of 1x3x24x40, after 3 to warm up" in words
    assert "  torch 2" in words and ", 2 threads, " in words
    assert "median" in words and "p10" in words and "p90" in words and " cores" in words


def test_python_that_archdsl_did_not_write_is_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, trace = folder / "tiny.py", folder / "trace"
    source = file.read_text(encoding="utf-8")
    file.write_text(f"open({str(trace)!r}, 'w').close()\n{source}", encoding="utf-8")
    assert run(["bench", str(file), "--runs", "1"]) == 2
    assert "its sha256 is not the one in its manifest" in capsys.readouterr().err
    (folder / "tiny.torch.manifest.json").unlink()
    assert run(["bench", str(file), "--runs", "1"]) == 2
    assert "there is no manifest beside it" in capsys.readouterr().err
    assert not trace.exists()
    assert run(["bench", str(file), "--runs", "1", "--trust", "--input", "1x3x16x32"]) == 0
    assert trace.exists()


def test_a_plan_says_what_it_would_need(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = plan(folder)
    assert run(["bench", str(folder), "--runs", "1"]) == 3
    words = capsys.readouterr().out
    assert "tiny.rtx.plan: not timed" in words and "cannot run here: " in words
    assert "tiny.onnx: 1 images" not in words and "tiny.onnx: 1 image of 1x3x16x32" in words
    place.write_bytes(b"vtrt and less")
    assert run(["bench", str(place)]) == 3
    assert "its sha256 differs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny.onnx", "--input", "1x3x64x64"], "is for images of 16x32 alone"),
        (["nothing.onnx"], "does not exist: name what `archdsl compile` wrote"),
        (["tiny.safetensors"], "is no compiled file: those end in .onnx, .py, .rtx.plan, .trt.plan"),
        ([".."], "there is no compiled file in"),
    ],
)
def test_what_cannot_be_timed_says_why(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", str(folder / arguments[0]), *arguments[1:]]) == 2
    assert words in capsys.readouterr().err


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_quantiles_are_those_of_numpy(seconds: list[float]) -> None:
    spread = Spread.of(seconds)
    wanted = 1000 * np.quantile(seconds, [0.5, 0.1, 0.9])
    assert [spread.median_ms, spread.p10_ms, spread.p90_ms] == pytest.approx(list(wanted), abs=1e-6)


def cut_off(whole: bytes) -> bytes:
    return whole[:-1]


def not_finite(whole: bytes) -> bytes:
    return whole[:-4] + np.array(np.nan, "<f4").tobytes()


def of_another(_: bytes) -> bytes:
    return to_bytes({"other.weight": np.zeros(2, np.float32)}, {})


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        (cut_off, 2, "tiny.safetensors cannot be read as safetensors: its tensors take 432 bytes, and 431 are there"),
        (not_finite, 1, "tiny.safetensors: 1 of the 108 values of `logits_conv.weight` are NaN or infinite"),
        (of_another, 3, 'Missing key(s) in state_dict: "logits_conv.weight"'),
    ],
)
def test_broken_weights_beside_a_torch_file_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str], changed: Callable[[bytes], bytes], code: int, words: str
) -> None:
    weights = folder / "tiny.safetensors"
    weights.write_bytes(changed(weights.read_bytes()))
    assert run(["bench", str(folder / "tiny.py"), "--runs", "1"]) == code
    out, err = capsys.readouterr()
    assert words in out + err
