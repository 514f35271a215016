"""fp16 graphs and TensorRT plans, built for real; a plan runs only where there is a GPU, so none is run here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import archdsl
from archdsl.backends.failures import TargetFailed
from archdsl.backends.onnx.half import to_half
from archdsl.backends.onnx.model import to_onnx
from archdsl.backends.onnx.runtime import run_model
from archdsl.backends.options import Precision
from archdsl.backends.tensorrt.build import build_plan, find_flavour
from archdsl.backends.tensorrt.trt_plan import BadPlan, Flavour, Plan, check_plan, read_header, sidecar_bytes
from archdsl.extras import ToolMissing
from archdsl.weights import random_weights
from tests.backends.student import student

FP16_TOLERANCE = 2e-2
"""Of the largest logit, through 75 convolutions with 11 bits of mantissa."""


@cache
def model(*, labels: bool = False) -> onnx.ModelProto:
    graph = student(64, 128, parts=4, auxiliary=False)
    return to_onnx(graph, random_weights(graph), labels=labels)


def run(written: onnx.ModelProto, image: NDArray[np.float32]) -> NDArray[np.generic]:
    (output,), (read,) = written.graph.output, written.graph.input
    return run_model(written, {read.name: image}, [output.name])[output.name]


def test_fp16_is_close_and_keeps_its_borders() -> None:
    half = to_half(model())
    assert [value.type.tensor_type.elem_type for value in (*half.graph.input, *half.graph.output)] == [1, 1]
    assert [value.name for value in half.graph.output] == [value.name for value in model().graph.output]
    image = np.random.default_rng(0).normal(size=(1, 3, 64, 128)).astype(np.float32)
    exact, rounded = run(model(), image), run(half, image)
    assert rounded.dtype == np.float32
    difference = np.abs(exact.astype(float) - rounded.astype(float)).max() / np.abs(exact.astype(float)).max()
    assert 0 < difference < FP16_TOLERANCE


def test_every_weight_is_fp16_and_no_scale_is() -> None:
    half = to_half(model())
    kinds = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    scales = {name for node in half.graph.node if node.op_type == "Resize" for name in node.input[1:3] if name}
    assert all(kinds[name] == TensorProto.FLOAT for name in scales)
    assert all(kind != TensorProto.FLOAT for name, kind in kinds.items() if name not in scales)
    assert model().graph.initializer[0].data_type == TensorProto.FLOAT, "the model given is left alone"


def test_labels_stay_whole_numbers() -> None:
    half = to_half(model(labels=True))
    assert (
        half.graph.output[0].type.tensor_type.elem_type == model(labels=True).graph.output[0].type.tensor_type.elem_type
    )


def one_node(*weights: float) -> onnx.ModelProto:
    tensor = numpy_helper.from_array(np.array(weights, np.float32), "w")
    node = helper.make_node("Add", ["x", "w"], ["y"], name="sum")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [len(weights)]) for name in "xy"]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


@pytest.mark.parametrize("weight", [65536.0, float("inf"), float("nan")])
def test_a_weight_that_fp16_cannot_hold_is_refused(weight: float) -> None:
    with pytest.raises(TargetFailed, match="`w` holds"):
        to_half(one_node(1.0, weight))


@pytest.mark.parametrize("precision", list(Precision))
def test_two_builds_are_the_same_bytes(precision: Precision) -> None:
    written = model().SerializeToString()
    first, second = build_plan(written, precision), build_plan(written, precision)
    assert first == second
    assert sidecar_bytes(first) == sidecar_bytes(second)
    assert first.flavour is Flavour.RTX is find_flavour()
    assert read_header(first.data).size_bytes == len(first.data)
    assert read_header(first.data).version == first.version
    assert [(port.name, port.dtype, port.shape) for port in first.inputs] == [("image", "float32", (1, 3, 64, 128))]
    assert [(port.name, port.dtype, port.shape) for port in first.outputs] == [("logits", "float32", (1, 19, 64, 128))]


def test_fp16_makes_another_and_smaller_plan() -> None:
    written = model().SerializeToString()
    assert len(build_plan(written, Precision.FP16).data) < len(build_plan(written).data)


def test_labels_build() -> None:
    (output,) = build_plan(model(labels=True).SerializeToString()).outputs
    assert (output.dtype, output.shape) == ("int32", (1, 64, 128))


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x08\x09"])
def test_what_is_no_model_is_refused(junk: bytes) -> None:
    with pytest.raises(TargetFailed, match="not an ONNX model"):
        build_plan(junk)


def test_tensorrt_says_what_it_cannot_read() -> None:
    node = helper.make_node("Unique", ["x"], ["y"], name="odd_one")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", [4]), ("y", [None]))
    ]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:])
    written = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    with pytest.raises(TargetFailed, match="odd_one") as caught:
        build_plan(written.SerializeToString())
    assert caught.value.details


def test_compute_capabilities_are_chosen_and_unknown_ones_refused() -> None:
    written = one_node(1.0).SerializeToString()
    assert build_plan(written, compute_capabilities=("SM86",)).compute_capabilities == ("SM86",)
    with pytest.raises(TargetFailed, match="does not know the compute capability SM1"):
        build_plan(written, compute_capabilities=("SM1",))


def test_a_flavour_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(ToolMissing, match="pip install tensorrt") as caught:
        build_plan(one_node(1.0).SerializeToString(), flavour=Flavour.ENTERPRISE)
    assert caught.value.tool == "tensorrt"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with"),
        (b"ftrt" + bytes(60), "begins with"),
        (b"vtrt" + bytes(8), "within its header"),
        (b"vtrt" + bytes(12) + (99).to_bytes(8, "little") + bytes(40), "says 99 bytes"),
    ],
)
def test_a_header_that_is_wrong_is_told(data: bytes, reason: str) -> None:
    with pytest.raises(BadPlan, match=reason):
        read_header(data)


def test_a_plan_of_another_version_is_told() -> None:
    plan = build_plan(one_node(1.0).SerializeToString())
    other = Plan(plan.data, plan.flavour, "9.9.9.9", plan.precision, (), plan.inputs, plan.outputs)
    with pytest.raises(BadPlan, match=r"version 9\.9\.9\.9"):
        check_plan(other)


BUILDER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from archdsl.backends.failures import TargetFailed
    from archdsl.backends.tensorrt.build import build_plan
    data = Path(sys.argv[1]).read_bytes()
    print("ready", flush=True)
    try:
        while True:
            build_plan(data)
    except TargetFailed as error:
        print(error.message, flush=True)
    """
)


def builder(folder: Path) -> subprocess.Popen[str]:
    written = folder / "model.onnx"
    written.write_bytes(model().SerializeToString())
    environment = {**os.environ, "PYTHONPATH": str(Path(archdsl.__path__[0]).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(written)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def children(process: int) -> list[int]:
    written = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in written.read_text().split()]


def worker_of(process: subprocess.Popen[str]) -> int:
    while not (found := children(process.pid)):
        time.sleep(0.01)
    return found[0]


def test_a_killed_worker_is_a_failure_that_says_so(tmp_path: Path) -> None:
    with builder(tmp_path) as process:
        os.kill(worker_of(process), signal.SIGKILL)
        assert process.stdout is not None
        assert process.stdout.read() == "TensorRT's process died of signal 9\n"
        assert process.wait() == 0


def test_an_interrupt_ends_the_worker_too(tmp_path: Path) -> None:
    with builder(tmp_path) as process:
        worker = worker_of(process)
        process.send_signal(signal.SIGINT)
        process.wait()
    assert not Path(f"/proc/{worker}").exists()
