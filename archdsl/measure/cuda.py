"""Networks on a GPU: torch by replays of CUDA graphs, TensorRT by an engine for each. Timed by CUDA events.

A machine without a GPU has seen the refusals alone: what runs there follows torch's and NVIDIA's documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from archdsl.backends.failures import TargetFailed
from archdsl.cost.tables import Measurement
from archdsl.ir import ClosedGraph
from archdsl.measure.runtime import Sample
from archdsl.measure.torch_cpu import compile_network, torch_network
from archdsl.weights import random_weights
from archdsl.weights.specification import closed_count

_WARM_UP = 3
"""Calls before a graph is captured, as torch asks for."""


def require_gpu() -> None:
    """Raises TargetFailed where torch sees no GPU."""
    if not torch.cuda.is_available():
        raise TargetFailed(f"torch {torch.__version__} finds no CUDA device here: run this on a machine with a GPU")


@dataclass(frozen=True, slots=True)
class OnStream:
    """A call that is queued on the current stream."""

    run: Callable[[], object]
    warm_up: Callable[[], int]
    """The bytes that a call takes at its peak."""

    def first(self) -> int | None:
        return self.warm_up()

    def call(self) -> Sample:
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        self.run()
        end.record()
        end.synchronize()
        seconds = begin.elapsed_time(end) / 1000
        return Sample(seconds, seconds)


@dataclass(slots=True)
class TorchOnCuda:
    compiled: bool

    def __post_init__(self) -> None:
        require_gpu()

    @property
    def conditions(self) -> Measurement:
        tf32 = torch.backends.cudnn.allow_tf32
        return _conditions(
            "torch.compile" if self.compiled else "torch",
            torch.__version__,
            precision="tf32" if tf32 else "fp32",
            batch_norm="kept",
            constants="computed",
            dead_code="removed" if self.compiled else "run",
        )

    def open(self, graph: ClosedGraph) -> OnStream:
        network = torch_network(graph).cuda()
        call: Callable[..., Any] = compile_network(network) if self.compiled else network
        maps_BCHW = _inputs(graph)
        captured = torch.cuda.CUDAGraph()

        def eager() -> None:
            with torch.inference_mode():
                call(*maps_BCHW)

        def warm_up() -> int:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(_WARM_UP):
                    eager()
            torch.cuda.current_stream().wait_stream(side)
            peak = _peak_bytes(eager)
            with torch.inference_mode(), torch.cuda.graph(captured):
                call(*maps_BCHW)
            return peak

        return OnStream(captured.replay, warm_up)


@dataclass(slots=True)
class TensorRtOnCuda:
    """Its engines are built one by one and stay loaded in this process."""

    def __post_init__(self) -> None:
        from archdsl.backends.tensorrt.build import find_flavour
        from archdsl.backends.tensorrt.process import import_tensorrt, listening_logger
        from archdsl.backends.tensorrt.run import missing
        from archdsl.backends.tensorrt.run_worker import find_machine

        flavour = find_flavour()
        if reason := missing(find_machine(flavour), flavour, ()):
            raise TargetFailed(f"TensorRT cannot run here: {reason}")
        self._library = import_tensorrt(flavour.module)
        self._logger = listening_logger(self._library)
        self._runtime = self._library.Runtime(self._logger)

    _library: Any = None
    _logger: Any = None
    _runtime: Any = None

    @property
    def conditions(self) -> Measurement:
        return _conditions(
            "TensorRT",
            self._library.__version__,
            precision="fp32",
            batch_norm="folded",
            constants="folded",
            dead_code="removed",
        )

    def open(self, graph: ClosedGraph) -> OnStream:
        from archdsl.backends.onnx.model import to_onnx
        from archdsl.backends.tensorrt.build import build_plan

        plan = build_plan(to_onnx(graph, random_weights(graph)).SerializeToString(deterministic=True))
        engine: Any = self._runtime.deserialize_cuda_engine(plan.data)
        if engine is None or (context := engine.create_execution_context()) is None:
            raise TargetFailed("TensorRT does not load its engine", tuple(self._logger.complaints))
        workspace = int(engine.device_memory_size_v2)
        maps_BCHW = _inputs(graph)
        outputs_BCHW = [
            torch.empty(port.shape, dtype=getattr(torch, port.dtype), device="cuda") for port in plan.outputs
        ]
        ports = [*plan.inputs, *plan.outputs]
        for port, map_BCHW in zip(ports, [*maps_BCHW, *outputs_BCHW], strict=True):
            context.set_tensor_address(port.name, map_BCHW.data_ptr())

        def run() -> object:
            if not context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
                raise TargetFailed("TensorRT does not run its engine", tuple(self._logger.complaints))
            return outputs_BCHW  # whose memory the engine writes to

        def warm_up() -> int:
            run()
            torch.cuda.synchronize()
            written = sum(each.nbytes for each in outputs_BCHW)
            return workspace + written

        return OnStream(run, warm_up)


def _inputs(graph: ClosedGraph) -> Sequence[torch.Tensor]:
    shapes = [graph.node(path).shape for path in graph.images]
    counts = [closed_count(shape.channels, path) for shape, path in zip(shapes, graph.images, strict=True)]
    return [
        torch.randn(1, count, shape.height, shape.width, device="cuda")
        for count, shape in zip(counts, shapes, strict=True)
    ]


def _peak_bytes(run: Callable[[], object]) -> int:
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _conditions(
    runtime: str,
    version: str,
    *,
    precision: Literal["tf32", "fp32"],
    batch_norm: Literal["folded", "kept"],
    constants: Literal["computed", "folded"],
    dead_code: Literal["run", "removed"],
) -> Measurement:
    return Measurement(
        device=torch.cuda.get_device_name(),
        runtime=runtime,
        version=version,
        precision=precision,
        threads=1,
        clock="device",
        statistic="median",
        rounds=20,
        batch_norm=batch_norm,
        constants=constants,
        dead_code=dead_code,
    )
