"""The process in which a plan is timed: reads the plan and an image, answers with seconds or with what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.backends.bench.timing import sample
from archdsl.backends.tensorrt.process import Message, answer_with, import_tensorrt, listening_logger
from archdsl.backends.tensorrt.run import missing
from archdsl.backends.tensorrt.run_worker import find_machine, prepare
from archdsl.backends.tensorrt.trt_plan import Flavour


def run(request: Mapping[str, Any], body: bytes) -> Message:
    """A plan and an image to the seconds of each run; without runs to what the machine is."""
    flavour = Flavour(request["flavour"])
    machine = find_machine(flavour)
    if reason := missing(machine, flavour, request["compute_capabilities"]):
        return {"not_run": reason}, b""
    import torch

    trt = import_tensorrt(flavour.module)
    if not request["runs"]:
        return {"version": trt.__version__, "device": torch.cuda.get_device_name()}, b""
    logger = listening_logger(trt)
    plan, image = body[: request["plan_bytes"]], body[request["plan_bytes"] :]
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    ready = None if engine is None else prepare(trt, engine, image, request["image"])
    if ready is None:
        return {"failed": "TensorRT could not load the plan", "details": logger.complaints}, b""
    stream = torch.cuda.current_stream()
    context, launched = ready.context, list[bool]()

    def once() -> None:
        launched.append(context.execute_async_v3(stream.cuda_stream))
        stream.synchronize()

    samples = sample(once, request["warm_up"], request["runs"], lambda _: None)
    if not all(launched):
        return {"failed": "TensorRT loaded the plan and could not run it", "details": logger.complaints}, b""
    return {"wall_s": list(samples.wall_s), "cpu_s": list(samples.cpu_s)}, b""


if __name__ == "__main__":
    answer_with(run)
