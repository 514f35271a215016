"""The target `trt`: a TensorRT plan with a sidecar, built from the ONNX model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archdsl.backends.bench.timing import random_images, shapes_to_time
from archdsl.backends.failures import TargetFailed, Untrusted
from archdsl.backends.fixed_shapes import described_shapes, fits
from archdsl.backends.onnx.backend import BACKEND as ONNX
from archdsl.backends.onnx.backend import onnx_bytes
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.protocol import Built, NotRun, Observed, Probe, Request, TimedFile
from archdsl.backends.tensorrt.trt_plan import BadPlan, Flavour, Sidecar, read_header, read_sidecar, sidecar_bytes
from archdsl.documents import MIB
from archdsl.files import read_whole
from archdsl.ops import Primitive, Shape

_PLAN, _SIDECAR = "trt-plan", "trt-sidecar"
_CODE = "machine code for a GPU"


@dataclass(frozen=True, slots=True)
class TensorRT:
    name: str = "trt"
    title: str = "TensorRT"
    suffixes: tuple[str, ...] = (".plan", *(flavour.suffix for flavour in Flavour))
    timed: tuple[str, ...] = tuple(flavour.suffix for flavour in Flavour)
    precisions: tuple[Precision, ...] = (Precision.FP32, Precision.FP16)
    emits: tuple[Emit, ...] = (Emit.LOGITS, Emit.LABELS)
    auxiliary: bool = False
    runtime: str = "tensorrt"

    def expresses(self, primitive: Primitive) -> bool:
        """As its parser reads ONNX; what it does not know of that it says itself when it builds."""
        return ONNX.expresses(primitive)

    def refuse(self, request: Request) -> Refused | None:
        return None

    def build(self, request: Request, stem: str) -> tuple[Built, ...]:
        from archdsl.backends.tensorrt.build import build_plan

        plan = build_plan(onnx_bytes(request, Precision.FP32), request.precision)
        suffix = plan.flavour.suffix
        return Built(_PLAN, suffix, plan.data), Built(_SIDECAR, f"{suffix}.json", sidecar_bytes(plan))

    def libraries(self, request: Request) -> tuple[str, ...]:
        from archdsl.backends.tensorrt.build import find_flavour

        return "onnx", find_flavour().module

    def run(self, files: Mapping[str, bytes], probe: Probe) -> Observed | NotRun:
        """A plan is checked everywhere and run where there is a GPU that it is for."""
        from archdsl.backends.tensorrt.run import run_plan, ways_to_run

        data = files[_PLAN]
        try:
            sidecar = read_sidecar(files[_SIDECAR])
        except BadPlan as error:
            raise TargetFailed(f"the plan cannot be checked: {error}") from error
        checked = _checked(data, sidecar)
        if not fits(sidecar.inputs, probe.shapes):
            return NotRun(f"the plan is for images of {described_shapes(sidecar.inputs)}", checked)
        if not probe.trust:
            if missing := ways_to_run(sidecar).missing:
                return NotRun(missing, checked)
            raise Untrusted("the plan", "a plan cannot be made anew and compared", "Comparing", _CODE)
        match run_plan(data, sidecar, probe.images):
            case NotRun(reason):
                return NotRun(reason, checked)
            case Observed(outputs, cells):
                return Observed(outputs, cells, checked)

    def recognises(self, file: Path) -> bool:
        return True

    def open(self, file: Path, asked: Shape | None, threads: int, *, trust: bool) -> TimedFile:
        from archdsl.backends.tensorrt.run import samples_of_plan, ways_to_run

        sidecar_file = file.with_name(f"{file.name}.json")
        try:
            sidecar = read_sidecar(read_whole(sidecar_file, MIB))
        except BadPlan as error:
            raise TargetFailed(f"`{file}` cannot be timed: {error}") from error
        plan = read_whole(file)
        if hashlib.sha256(plan).hexdigest() != sidecar.sha256:
            raise TargetFailed(f"`{file}` is not the plan that its sidecar describes: its sha256 differs")
        shapes = shapes_to_time(file, sidecar.inputs, asked)
        machine = ways_to_run(sidecar)
        if machine.missing:
            raise TargetFailed(f"`{file}` cannot run here: {machine.missing}")
        if not trust:
            raise Untrusted(f"`{file}`", "a plan cannot be made anew and compared", "Timing", _CODE)
        measure = partial(samples_of_plan, plan, sidecar, random_images(shapes))
        return TimedFile(f"TensorRT ({sidecar.flavour})", machine.version, machine.device, 1, shapes, measure)


def _checked(data: bytes, sidecar: Sidecar) -> tuple[str, ...]:
    """What was checked of a plan. Raises TargetFailed where it is not the one that its sidecar describes."""
    if sidecar.sha256 != hashlib.sha256(data).hexdigest():
        raise TargetFailed("the plan is not the one that its sidecar describes: its sha256 differs")
    if sidecar.flavour is not Flavour.RTX:
        return ("sidecar",)
    try:
        header = read_header(data)
    except BadPlan as error:
        raise TargetFailed(f"the plan is damaged: {error}") from error
    if header.version != sidecar.version:
        raise TargetFailed(f"the plan is of version {header.version} and its sidecar says {sidecar.version}")
    return ("sidecar", "header")


BACKEND = TensorRT()
