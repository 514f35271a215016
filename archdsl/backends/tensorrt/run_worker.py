"""The process in which a plan runs: reads the plan and images, answers with outputs or seconds, or what is missing.

The buffers are torch's, on torch's stream, so nothing but torch and TensorRT is needed.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from archdsl.backends.bench.timing import sample
from archdsl.backends.tensorrt.process import Message, answer_with, import_tensorrt, listening_logger
from archdsl.backends.tensorrt.run import MACHINE, TIME, Machine, missing
from archdsl.backends.tensorrt.trt_plan import Flavour

_MAJOR, _MINOR = 75, 76
"""`CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*`."""


def work(request: Mapping[str, Any], body: bytes) -> Message:
    """A plan and its images one after the other to what the task asks for; `not_run` where the machine cannot."""
    flavour = Flavour(request["flavour"])
    machine = find_machine(flavour)
    if reason := missing(machine, flavour, request["compute_capabilities"]):
        return {"not_run": reason}, b""
    import torch

    trt = import_tensorrt(flavour.module)
    if request["task"] == MACHINE:
        return {"version": trt.__version__, "device": torch.cuda.get_device_name()}, b""
    logger = listening_logger(trt)
    plan, images = body[: request["plan_bytes"]], body[request["plan_bytes"] :]
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    if engine is None:
        said = f": {logger.complaints[-1]}" if logger.complaints else ""
        return {"not_run": f"TensorRT does not load the plan on a GPU of {machine.capability}{said}"}, b""
    ready = prepare(trt, engine, images, request["images"])
    answer = None if ready is None else _time(ready, request) if request["task"] == TIME else _run(ready)
    if answer is None:
        return {"failed": "TensorRT loaded the plan and could not run it", "details": logger.complaints}, b""
    return answer


def find_machine(flavour: Flavour) -> Machine:
    """Looks no further than the first thing that is not there: torch takes a second to import."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Machine(None)
    if (started := driver.cuInit(0)) != 0:
        return Machine(started)
    major, minor = ctypes.c_int(), ctypes.c_int()
    for number, attribute in ((major, _MAJOR), (minor, _MINOR)):
        if driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, 0) != 0:
            return Machine(0)
    capability = f"SM{major.value}{minor.value}"
    if importlib.util.find_spec("torch") is None:
        return Machine(0, capability)
    import torch

    tensorrt = import_tensorrt(flavour.module) is not None
    return Machine(0, capability, torch.__version__, torch.cuda.is_available(), tensorrt)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that has only to be launched: its inputs and outputs lie on the GPU."""

    context: Any
    buffers: Mapping[str, Any]
    outputs: tuple[str, ...]


def prepare(trt: Any, engine: Any, images: bytes, shapes: Mapping[str, list[int]]) -> Prepared | None:
    """`images` lie one behind the other, in the order of `shapes`, which has their names.

    None where TensorRT says no, for its reasons see the logger.
    """
    import torch

    context = engine.create_execution_context()
    if context is None:
        return None
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    reads = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    buffers: dict[str, torch.Tensor] = {}
    start = 0
    for name, shape in shapes.items():
        given = torch.frombuffer(bytearray(images), dtype=torch.float32, count=prod(shape), offset=start).view(shape)
        start += given.nbytes
        buffers[name] = given.to("cuda", _dtype(trt, engine, name))
        if name not in reads or not context.set_input_shape(name, tuple(shape)):
            return None
    writes = [name for name in names if name not in reads]
    for name in writes:
        lengths = tuple(context.get_tensor_shape(name))
        buffers[name] = torch.empty(lengths, dtype=_dtype(trt, engine, name), device="cuda")
    for name, buffer in buffers.items():
        context.set_tensor_address(name, buffer.data_ptr())
    return Prepared(context, buffers, tuple(writes))


def _run(ready: Prepared) -> Message | None:
    """The bytes of all outputs one after the other; None where TensorRT says no."""
    import torch

    stream = torch.cuda.current_stream()
    if not ready.context.execute_async_v3(stream.cuda_stream):
        return None
    stream.synchronize()
    outputs = {name: ready.buffers[name].cpu().numpy() for name in ready.outputs}
    described = [{"name": name, "dtype": str(array.dtype), "shape": array.shape} for name, array in outputs.items()]
    return {"outputs": described}, b"".join(array.tobytes() for array in outputs.values())


def _time(ready: Prepared, request: Mapping[str, Any]) -> Message | None:
    """The seconds of each run; None where TensorRT says no."""
    import torch

    stream = torch.cuda.current_stream()
    launched: list[bool] = []

    def once() -> None:
        launched.append(ready.context.execute_async_v3(stream.cuda_stream))
        stream.synchronize()

    samples = sample(once, request["warm_up"], request["runs"], lambda _: None)
    if not all(launched):
        return None
    return {"wall_s": list(samples.wall_s), "cpu_s": list(samples.cpu_s)}, b""


def _dtype(trt: Any, engine: Any, name: str) -> Any:
    import torch

    return getattr(torch, trt.nptype(engine.get_tensor_dtype(name)).__name__)


if __name__ == "__main__":
    answer_with(work)
