"""TensorRT plans, run and timed in a worker process where the machine can run them; else what is missing here.

Seen so far, with tensorrt-rtx 1.7: every answer about what is missing. A run itself has not been seen: it follows
NVIDIA's description of `execute_async_v3`, and waits for a machine with a driver, a GPU and a torch with CUDA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.protocol import NotRun, Observed, Samples
from archdsl.backends.tensorrt.process import ask
from archdsl.backends.tensorrt.trt_plan import Flavour, Sidecar
from archdsl.extras import Extra, install_line

NO_DEVICE = 100
"""What `cuInit` gives where there is a driver and no GPU."""

MACHINE, RUN, TIME = "machine", "run", "time"
"""What the worker is asked to do."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a plan needs of a machine."""

    driver: int | None
    """What `cuInit` gave, 0 where all is well; None without an NVIDIA driver."""
    capability: str = ""
    """Of the first GPU, as in `SM86`; empty where there is none."""
    torch: str = ""
    """torch's version, empty where it is not installed."""
    cuda: bool = False
    """Whether torch can use the GPU."""
    tensorrt: bool = False
    """Whether the plan's flavour of TensorRT can be imported."""


def missing(machine: Machine, flavour: Flavour, capabilities: Sequence[str]) -> str:
    """What keeps a plan for these compute capabilities from running there; empty where nothing is known to."""
    if machine.driver is None:
        return "there is no NVIDIA driver here"
    if machine.driver not in (0, NO_DEVICE):
        return f"the NVIDIA driver does not start: cuInit gives {machine.driver}"
    if not machine.capability:
        return "there is no GPU here"
    if capabilities and machine.capability not in capabilities and "CURRENT" not in capabilities:
        return f"the plan is for {', '.join(capabilities)} and the GPU is {machine.capability}"
    if not machine.torch:
        return f"`torch` is not installed: {install_line(Extra.TORCH)}"
    if not machine.cuda:
        return f"torch {machine.torch} has no CUDA"
    if not machine.tensorrt:
        return f"`{flavour.module}` is not installed: {flavour.install_line}"
    return ""


def run_plan(plan: bytes, sidecar: Sidecar, images: Mapping[str, NDArray[np.float32]]) -> Observed | NotRun:
    """The plan's outputs for images by the names of its inputs.

    Raises TargetFailed where it loads and fails, or the process dies.
    """
    request = {
        **_request(sidecar),
        "task": RUN,
        "plan_bytes": len(plan),
        "images": {name: list(image.shape) for name, image in images.items()},
    }
    fields, data = ask("run_worker", request, plan + _bytes(images))
    if reason := fields.get("not_run"):
        return NotRun(reason)
    if failed := fields.get("failed"):
        raise TargetFailed(failed, tuple(fields["details"]))
    outputs: dict[str, NDArray[np.generic]] = {}
    start = 0
    for output in fields["outputs"]:
        shape = tuple(map(int, output["shape"]))
        array = np.frombuffer(data, output["dtype"], prod(shape), start).reshape(shape)
        outputs[output["name"]] = array
        start += array.nbytes
    return Observed(outputs, {})


@dataclass(frozen=True, slots=True)
class Here:
    """Where a plan would run."""

    missing: str
    """What keeps it from running; empty where nothing is known to."""
    version: str = ""
    device: str = ""


def ways_to_run(sidecar: Sidecar) -> Here:
    """Raises TargetFailed where the process dies."""
    fields, _ = ask("run_worker", {**_request(sidecar), "task": MACHINE}, b"")
    return Here(fields.get("not_run", ""), fields.get("version", ""), fields.get("device", ""))


def samples_of_plan(
    plan: bytes,
    sidecar: Sidecar,
    images: Mapping[str, NDArray[np.float32]],
    warm_up: int,
    runs: int,
    done: Callable[[int], None],
) -> Samples:
    """From launch to the last output on the GPU; the images lie there already. Raises TargetFailed."""
    request = {
        **_request(sidecar),
        "task": TIME,
        "plan_bytes": len(plan),
        "images": {name: list(image.shape) for name, image in images.items()},
        "warm_up": warm_up,
        "runs": runs,
    }
    fields, _ = ask("run_worker", request, plan + _bytes(images))
    if reason := fields.get("not_run"):
        raise TargetFailed(f"the plan cannot run here: {reason}")
    if failed := fields.get("failed"):
        raise TargetFailed(failed, tuple(fields["details"]))
    done(warm_up + runs)
    return Samples(tuple(fields["wall_s"]), tuple(fields["cpu_s"]))


def _bytes(images: Mapping[str, NDArray[np.float32]]) -> bytes:
    """One behind the other."""
    return b"".join(image.tobytes() for image in images.values())


def _request(sidecar: Sidecar) -> dict[str, object]:
    return {"flavour": str(sidecar.flavour), "compute_capabilities": list(sidecar.compute_capabilities)}
