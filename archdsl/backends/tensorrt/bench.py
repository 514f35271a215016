"""TensorRT plans timed in a worker process, where the machine can run them.

Not seen yet on a GPU, as the run of a plan itself (`trt_run`): only what is missing here has been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.protocol import Samples
from archdsl.backends.tensorrt.process import ask
from archdsl.backends.tensorrt.trt_plan import Sidecar


@dataclass(frozen=True, slots=True)
class Here:
    """Where a plan would run."""

    missing: str
    """What keeps it from running; empty where nothing is known to."""
    version: str = ""
    device: str = ""


def ways_to_run(sidecar: Sidecar) -> Here:
    """Raises TargetFailed where the process dies."""
    fields, _ = ask("bench_worker", {**_request(sidecar), "runs": 0}, b"")
    return Here(fields.get("not_run", ""), fields.get("version", ""), fields.get("device", ""))


def samples_of_plan(
    plan: bytes,
    sidecar: Sidecar,
    image: NDArray[np.float32],
    warm_up: int,
    runs: int,
    done: Callable[[int], None],
) -> Samples:
    """From launch to the last output on the GPU; the image lies there already. Raises TargetFailed."""
    request = {
        **_request(sidecar),
        "plan_bytes": len(plan),
        "image": list(image.shape),
        "warm_up": warm_up,
        "runs": runs,
    }
    fields, _ = ask("bench_worker", request, plan + image.tobytes())
    if reason := fields.get("not_run"):
        raise TargetFailed(f"the plan cannot run here: {reason}")
    if failed := fields.get("failed"):
        raise TargetFailed(failed, tuple(fields["details"]))
    done(warm_up + runs)
    return Samples(tuple(fields["wall_s"]), tuple(fields["cpu_s"]))


def _request(sidecar: Sidecar) -> dict[str, object]:
    return {"flavour": str(sidecar.flavour), "compute_capabilities": list(sidecar.compute_capabilities)}
