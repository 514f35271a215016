"""TensorRT plans from ONNX, built in a worker process."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from archdsl.backends.failures import TargetFailed
from archdsl.backends.onnx.check import checked_model
from archdsl.backends.onnx.half import to_half
from archdsl.backends.options import Precision
from archdsl.backends.tensorrt.build_worker import BUILT, MISSING
from archdsl.backends.tensorrt.process import ask
from archdsl.backends.tensorrt.trt_plan import BadPlan, Flavour, Plan, Port, check_plan
from archdsl.extras import ToolMissing


def find_flavour() -> Flavour:
    """TensorRT for RTX where it is installed, else the enterprise one. Raises ToolMissing.

    The first needs no GPU to build and its plans are portable, so it goes first. Whether the second has libraries
    and a GPU is known only once it is loaded, which the worker does.
    """
    for flavour in (Flavour.RTX, Flavour.ENTERPRISE):
        if importlib.util.find_spec(flavour.module) is not None:
            return flavour
    raise ToolMissing(Flavour.RTX.module, Flavour.RTX.install_line)


def build_plan(
    onnx_bytes: bytes,
    precision: Precision = Precision.FP32,
    *,
    flavour: Flavour | None = None,
    compute_capabilities: tuple[str, ...] = (),
) -> Plan:
    """The plan of a float32 ONNX model; inputs and outputs stay float32 at either precision.

    The network is strongly typed: fp16 is in the graph before TensorRT sees it. Two builds give the same bytes.
    Raises ToolMissing, and TargetFailed with TensorRT's own words where it refuses the model or its process dies.
    """
    chosen = flavour or find_flavour()
    model = checked_model(onnx_bytes)
    if precision is Precision.FP16:
        onnx_bytes = to_half(model).SerializeToString(deterministic=True)
    request = {"module": chosen.module, "compute_capabilities": list(compute_capabilities)}
    fields, data = ask("build_worker", request, onnx_bytes)
    if fields["outcome"] == MISSING:
        raise ToolMissing(chosen.module, chosen.install_line)
    if fields["outcome"] != BUILT:
        raise TargetFailed(fields["message"], tuple(fields["details"]))
    plan = Plan(
        data=data,
        flavour=chosen,
        version=fields["version"],
        precision=precision,
        compute_capabilities=compute_capabilities,
        inputs=_ports(fields["inputs"]),
        outputs=_ports(fields["outputs"]),
    )
    try:
        check_plan(plan)
    except BadPlan as error:
        raise TargetFailed(f"{chosen.module} wrote a broken plan: {error}") from error
    return plan


def _ports(described: list[Mapping[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(port["name"], port["dtype"], tuple(port["shape"])) for port in described)
