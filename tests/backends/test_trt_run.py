"""Running a plan where it cannot run: what is missing is told, one thing at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from archdsl.backends.onnx.model import to_onnx
from archdsl.backends.tensorrt.build import build_plan
from archdsl.backends.tensorrt.run import NO_DEVICE, Machine, NotRun, missing, run_plan
from archdsl.backends.tensorrt.run_worker import find_machine
from archdsl.backends.tensorrt.trt_plan import BadPlan, Flavour, Plan, Sidecar, read_sidecar, sidecar_bytes
from archdsl.weights import random_weights
from tests.backends.student import student

COMPLETE = Machine(0, "SM86", "2.9.0+cu130", cuda=True, tensorrt=True)


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (Machine(None), "there is no NVIDIA driver here"),
        (Machine(NO_DEVICE), "there is no GPU here"),
        (Machine(0), "there is no GPU here"),
        (Machine(803), "the NVIDIA driver does not start: cuInit gives 803"),
        (replace(COMPLETE, torch=""), "`torch` is not installed: pip install 'archdsl[torch]'"),
        (replace(COMPLETE, torch="2.9.0+cpu", cuda=False), "torch 2.9.0+cpu has no CUDA"),
        (replace(COMPLETE, tensorrt=False), "`tensorrt_rtx` is not installed: pip install 'archdsl[trt]'"),
        (COMPLETE, ""),
    ],
)
def test_what_is_missing_is_told(machine: Machine, reason: str) -> None:
    assert missing(machine, Flavour.RTX, ()) == reason


@pytest.mark.parametrize(
    ("capabilities", "reason"),
    [
        (("SM89", "SM120"), "the plan is for SM89, SM120 and the GPU is SM86"),
        (("SM80", "SM86"), ""),
        (("CURRENT",), ""),
        ((), ""),
    ],
)
def test_a_plan_for_another_gpu_is_told(capabilities: tuple[str, ...], reason: str) -> None:
    assert missing(COMPLETE, Flavour.RTX, capabilities) == reason


@cache
def plan() -> Plan:
    graph = student(64, 128, parts=8, auxiliary=False)
    return build_plan(to_onnx(graph, random_weights(graph)).SerializeToString(), compute_capabilities=("SM86",))


def test_a_sidecar_says_what_running_needs() -> None:
    said = read_sidecar(sidecar_bytes(plan()))
    assert said == Sidecar(Flavour.RTX, plan().version, plan().sha256, ("SM86",), {"image": (1, 3, 64, 128)})


@pytest.mark.parametrize("field", ["inputs", "compute_capabilities", "flavour", "sha256"])
def test_a_sidecar_without_a_field_is_told(field: str) -> None:
    said = json.loads(sidecar_bytes(plan()))
    del said[field]
    with pytest.raises(BadPlan, match=f"its sidecar cannot be read: `{field}` is missing"):
        read_sidecar(json.dumps(said).encode())


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("format_version", True, "it has format version true, and this archdsl knows 1"),
        ("inputs", [], "`inputs` is empty"),
        ("flavour", "trt2", "`flavour` has to be 'rtx' or 'trt'"),
        ("sha256", "x", "`sha256` has to be 64 digits from 0 to f"),
        ("compute_capabilities", "SM86", "`compute_capabilities` has to be a valid array"),
    ],
)
def test_a_sidecar_with_another_field_is_told(field: str, value: object, said: str) -> None:
    broken = json.dumps(json.loads(sidecar_bytes(plan())) | {field: value})
    with pytest.raises(BadPlan) as found:
        read_sidecar(broken.encode())
    assert str(found.value) == f"its sidecar cannot be read: {said}"


def test_a_process_of_its_own_finds_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    found = run_plan(plan().data, read_sidecar(sidecar_bytes(plan())), {"image": np.zeros((1, 3, 64, 128), np.float32)})
    assert found in (NotRun("there is no NVIDIA driver here"), NotRun("there is no GPU here"))


def test_a_machine_with_a_gpu_has_a_driver() -> None:
    machine = find_machine(Flavour.RTX)
    assert machine.driver == 0 or not machine.capability
