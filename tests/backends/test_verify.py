"""Compiling and comparing, with the runtimes themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import archdsl
from archdsl.backends.compile import Compiled, compile_graph
from archdsl.backends.failures import TargetFailed
from archdsl.backends.manifest import ManifestUnreadable, RandomWeights, read_manifest
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.output import output_path
from archdsl.backends.protocol import Described, Request
from archdsl.backends.registry import BUILT_IN, backend, find_target
from archdsl.backends.verify.compare import verify_files
from archdsl.backends.verify.parity import Parity, Run
from archdsl.ir import ClosedGraph
from archdsl.weights import random_weights
from tests.backends.student import student


@cache
def graph() -> ClosedGraph:
    return student(64, 128, parts=4)


def request(out: Path, target: str) -> Request:
    described = Described("student.arch:student", "fasterseg", "12ab", class_names=("road",), mean=(0.5,), std=(0.2,))
    return Request(graph(), random_weights(graph()), RandomWeights(seed=0), target, out, described)


def compiled(asked: Request) -> Compiled:
    done = compile_graph(asked)
    assert isinstance(done, Compiled), done
    return done


def test_torch_and_onnx_agree_with_the_network_cell_by_cell(tmp_path: Path) -> None:
    for target in ("torch", "onnx"):
        done = compiled(replace(request(tmp_path, target), verify=True))
        assert done.parity is not None
        assert done.within(), done.parity
        (run,) = done.parity.runs
        assert run.not_run == ""
        assert {"trunk[3][8]", "b.trunk[10][32]", "fused.b.refined", "fused"} <= {cell.path for cell in run.cells}
        assert done.manifest.parity[0].difference == run.difference
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {
        "fasterseg_student.py",
        "fasterseg_student.safetensors",
        "fasterseg_student.torch.manifest.json",
        "fasterseg_student.onnx",
        "fasterseg_student.onnx.manifest.json",
    }


def test_another_size_runs_where_the_file_takes_it(tmp_path: Path) -> None:
    sizes = ((64, 128), (128, 64))
    for target, ran in (("torch", [True, True]), ("onnx", [True, False])):
        done = compiled(request(tmp_path, target))
        parity = verify_files(graph(), random_weights(graph()), done.files[-1], sizes=sizes)
        assert [run.not_run == "" for run in parity.runs] == ran
        assert parity.within()


def test_labels_are_compared_by_the_logits_they_chose(tmp_path: Path) -> None:
    done = compiled(replace(request(tmp_path, "onnx"), emit=Emit.LABELS, verify=True))
    assert done.within()
    assert done.manifest.outputs[0].kind == "labels"
    assert done.manifest.outputs[0].shape == (1, 64, 128)


def test_fp16_has_a_wider_tolerance(tmp_path: Path) -> None:
    done = compiled(replace(request(tmp_path, "onnx"), precision=Precision.FP16, verify=True))
    assert done.within()
    assert done.parity is not None
    assert not done.parity.runs[0].within(1e-5)
    strict = compiled(replace(request(tmp_path, "onnx"), precision=Precision.FP16, verify=True, tolerance=1e-5))
    assert not strict.within()


def test_other_weights_are_found_at_the_first_cell_that_has_them(tmp_path: Path) -> None:
    done = compiled(request(tmp_path, "onnx"))
    weights = random_weights(graph())
    name = "a_trunk_5_8.stay_conv3x3_x2.conv3x3.conv_bn_relu.conv.weight"
    weights[name] = weights[name] * np.float32(1.5)
    parity = verify_files(graph(), weights, done.files[-1])
    assert not parity.within()
    parting = parity.runs[0].first_parting(parity.tolerance)
    assert parting is not None
    assert parting.path == "a.trunk[5][8]"


def test_a_file_that_somebody_changed_is_not_run(tmp_path: Path) -> None:
    done = compiled(request(tmp_path, "torch"))
    size = done.files[0].stat().st_size
    done.files[0].write_text("raise SystemExit('run')".ljust(size))
    with pytest.raises(TargetFailed, match="sha256 differs"):
        verify_files(graph(), random_weights(graph()), done.files[-1])


@pytest.mark.parametrize(
    ("kind", "missing"), [("weights", "torch-source"), ("torch-source", "weights")], ids=["weights", "source"]
)
def test_a_manifest_without_a_file_that_its_target_needs_is_none(tmp_path: Path, kind: str, missing: str) -> None:
    done = compiled(request(tmp_path, "torch"))
    content = json.loads(done.files[-1].read_text())
    content["artefacts"] = [each for each in content["artefacts"] if each["kind"] == kind]
    done.files[-1].write_text(json.dumps(content))
    with pytest.raises(ManifestUnreadable, match=f"`artefacts` have no file of the kind `{missing}`"):
        verify_files(graph(), random_weights(graph()), done.files[-1])


def test_no_more_of_a_file_is_read_than_was_compiled(tmp_path: Path) -> None:
    done = compiled(request(tmp_path, "onnx"))
    with done.files[0].open("ab") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(TargetFailed, match="its size is not"):
        verify_files(graph(), random_weights(graph()), done.files[-1])


def test_a_plan_is_checked_and_said_not_to_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    done = compiled(replace(request(tmp_path, "trt"), verify=True))
    assert done.parity is not None
    (run,) = done.parity.not_run
    assert run.runtime == "tensorrt"
    assert set(run.checked) == {"sha256", "sidecar", "header"}
    assert done.manifest.parity[0].not_run
    assert done.manifest.parity[0].difference is None
    assert not done.manifest.parity[0].within
    assert {file.name for file in done.files} == {
        "fasterseg_student.rtx.plan",
        "fasterseg_student.rtx.plan.json",
        "fasterseg_student.trt.manifest.json",
    }


def test_a_plan_of_another_size_is_not_run(tmp_path: Path) -> None:
    done = compiled(request(tmp_path, "trt"))
    parity = verify_files(graph(), random_weights(graph()), done.files[-1], sizes=[(128, 64)])
    assert parity.runs[0].not_run == "the plan is for images of 64x128"


def test_nan_is_never_within(tmp_path: Path) -> None:
    assert not Parity(1e-5, (Run("x", 1, 1, float("nan")),)).within()
    weights = random_weights(graph())
    weights["stem_conv3x3.conv_bn_relu.bn.weight"][:] = 1e38  # finite, and what the next layer writes is not
    done = compiled(replace(request(tmp_path, "onnx"), weights=weights, verify=True))
    assert not done.within()
    assert read_manifest(done.files[-1]).parity[0].difference is None


@pytest.mark.parametrize("target", list(BUILT_IN))
def test_two_compilations_are_the_same_bytes(tmp_path: Path, target: str) -> None:
    first, second = (compiled(request(tmp_path / name, target)) for name in "ab")
    assert [file.read_bytes() for file in first.files] == [file.read_bytes() for file in second.files]
    assert read_manifest(first.files[-1]) == first.manifest


@pytest.mark.parametrize("target", ["onnx", "trt"])
def test_onnx_and_trt_never_import_torch(tmp_path: Path, target: str) -> None:
    program = f"""
import sys
from pathlib import Path
from tests.backends.student import student
from archdsl.backends import Request, compile_graph
from archdsl.backends.manifest import RandomWeights
from archdsl.weights import random_weights
graph = student(64, 64, parts=4)
out = Path({str(tmp_path)!r})
compile_graph(Request(graph, random_weights(graph), RandomWeights(seed=0), {target!r}, out))
print("torch" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(archdsl.__path__[0]).parent)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "False\n", done.stderr


def test_where_output_goes() -> None:
    def place(out: str | None, target: str) -> tuple[str, str] | None:
        found = output_path(None if out is None else Path(out), "net", target)
        return None if isinstance(found, Refused) else (str(found.folder), found.stem)

    assert place(None, "onnx") == ("compiled/net", "net")
    assert place("out", "onnx") == ("out", "net")
    assert place("out/x.onnx", "onnx") == ("out", "x")
    assert place("x.rtx.plan", "trt") == (".", "x")
    assert place("x.plan", "trt") == (".", "x")
    assert place("x.py", "onnx") is None
    assert place("out/x.supernet.json", "supernet") == ("out", "x")
    assert place("x.supernet.txt", "onnx") is None
    assert place("x.onnx", "supernet") is None
    assert place("v1.2", "onnx") == ("v1.2", "net")


def test_what_cannot_be_met_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    asked = request(tmp_path / "out", "torch")
    for wrong in (
        replace(asked, precision=Precision.FP16),
        replace(asked, emit=Emit.LABELS),
        replace(asked, out=tmp_path / "out" / "x.onnx"),
    ):
        assert isinstance(compile_graph(wrong), Refused)
    assert not (tmp_path / "out").exists()


def test_an_unknown_target_names_the_known_ones() -> None:
    assert find_target("onnx") is backend("onnx")
    near, far = find_target("onx"), find_target("tflite")
    assert isinstance(near, Refused) and near.help == "did you mean `onnx`?"
    assert isinstance(far, Refused) and "`torch`" in far.help
