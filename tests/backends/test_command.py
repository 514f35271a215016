"""`archdsl compile` and `archdsl verify` on the published student, through the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from archdsl.cli.main import run
from archdsl.weights import load_metadata
from tests.backends.command import SMALL, STUDENT, finish


def compiled(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `compile --format json` says."""
    code = run(["compile", STUDENT, "--input", SMALL, "--format", "json", *arguments])
    said = capsys.readouterr()
    assert code == 0, said
    return json.loads(said.out)


def manifest(folder: Path, target: str) -> dict[str, Any]:
    return json.loads((folder / f"fasterseg_student.{target}.manifest.json").read_text())


def test_labels_and_fp16_in_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--target", "onnx", "--emit", "labels", "--precision", "fp16", "--verify", "-o", str(tmp_path))
    said = compiled(capsys, *arguments)
    (measured,) = said["parity"]["runs"]
    assert measured["runtime"] == "onnxruntime" and measured["within"]
    assert said["parity"]["tolerance"] == 2e-2
    model = onnx.load_model_from_string((tmp_path / "fasterseg_student.onnx").read_bytes())
    (output,) = model.graph.output
    assert output.type.tensor_type.elem_type == onnx.TensorProto.INT32
    written = manifest(tmp_path, "onnx")
    assert written["outputs"] == [{"kind": "labels", "name": "logits", "shape": [1, 128, 256]}]
    assert written["options"] == {"emit": "labels", "input": [1, 3, 128, 256], "precision": "fp16"}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_labels_in_tensorrt(tmp_path: Path, capsys: pytest.CaptureFixture[str], precision: str) -> None:
    compiled(capsys, "--target", "trt", "--emit", "labels", "--precision", precision, "-o", str(tmp_path))
    sidecar = json.loads((tmp_path / "fasterseg_student.rtx.plan.json").read_text())
    assert sidecar["precision"] == precision
    assert sidecar["outputs"] == [{"dtype": "int32", "name": "logits", "shape": [1, 128, 256]}]


@pytest.mark.parametrize("target", ["torch", "onnx", "trt"])
def test_two_processes_write_the_same_bytes(tmp_path: Path, target: str) -> None:
    written: list[dict[str, bytes]] = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        code, _, err = finish(
            *("compile", STUDENT, "--target", target, "--input", SMALL, "-o", str(folder)), PYTHONHASHSEED=seed
        )
        assert code == 0, err
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]


def test_the_weights_of_a_torch_file_are_weights_for_every_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled(capsys, "--target", "torch", "--seed", "7", "--verify", "-o", str(tmp_path))
    weights = tmp_path / "fasterseg_student.safetensors"
    assert load_metadata(weights) == {"archdsl.hash": manifest(tmp_path, "torch")["hash"]}
    first = weights.read_bytes()
    again = tmp_path / "again"
    for target in ("torch", "onnx"):
        compiled(capsys, "--target", target, "--weights", str(weights), "-o", str(again))
        origin = manifest(again, target)["weights"]
        assert origin["sha256"] == hashlib.sha256(first).hexdigest()
    assert (again / weights.name).read_bytes() == first
    assert run(["verify", STUDENT, str(again), "--weights", str(weights), "--format", "json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert [each["runs"][0]["runtime"] for each in files] == ["onnxruntime", "torch file"]
    assert all(each["within"] for each in files)


def test_other_weights_are_beyond_the_tolerance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiled(capsys, "--target", "onnx", "--seed", "1", "-o", str(tmp_path))
    file = tmp_path / "fasterseg_student.onnx.manifest.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "weights": {"source": "random", "seed": 2}}))
    assert run(["verify", STUDENT, str(tmp_path)]) == 4
    assert "BEYOND; parts at `stem`" in capsys.readouterr().out
