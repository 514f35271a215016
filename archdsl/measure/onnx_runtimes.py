"""Runtimes that read ONNX models, on one thread of the CPU: ONNX Runtime and OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import process_time
from typing import Any, Literal

import numpy as np

from archdsl.backends.bench.timing import cpu_name
from archdsl.backends.failures import TargetFailed
from archdsl.backends.interrupts import interrupt_held
from archdsl.backends.onnx.model import to_onnx
from archdsl.cost.tables import Measurement
from archdsl.ir import ClosedGraph
from archdsl.measure.cpu import Inputs, OnCpu
from archdsl.weights import random_weights


@dataclass(slots=True)
class OnnxRuntime:
    """Outputs are written to memory that is there already: copies of them are no work of the network."""

    inputs: Inputs = field(default_factory=Inputs.empty)

    @property
    def conditions(self) -> Measurement:
        return _conditions("ONNX Runtime", _onnxruntime().__version__, dead_code="run")

    def open(self, graph: ClosedGraph) -> OnCpu:
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = runtime.InferenceSession(_model(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's own, which derive from nothing narrower
            raise TargetFailed("ONNX Runtime refused it", tuple(str(error).splitlines()[:5])) from error
        binding = session.io_binding()
        for described, map_1CHW in zip(session.get_inputs(), self.inputs.of(graph), strict=True):
            binding.bind_cpu_input(described.name, map_1CHW)
        written = 0
        for described in session.get_outputs():
            map_1CHW = np.ones(described.shape, np.float32 if described.type == "tensor(float)" else np.int64)
            binding.bind_ortvalue_output(described.name, runtime.OrtValue.ortvalue_from_numpy(map_1CHW))
            written += map_1CHW.nbytes
        return OnCpu(lambda: session.run_with_iobinding(binding), written)


@dataclass(slots=True)
class OpenVino:
    """Its one thread is of its own pool."""

    inputs: Inputs = field(default_factory=Inputs.empty)
    core: Any = field(default_factory=lambda: _openvino().Core())

    @property
    def conditions(self) -> Measurement:
        return _conditions("OpenVINO", _openvino().__version__, dead_code="removed")

    def open(self, graph: ClosedGraph) -> OnCpu:
        library = _openvino()
        settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        try:
            compiled = self.core.compile_model(self.core.read_model(_model(graph), b""), "CPU", settings)
        except RuntimeError as error:
            raise TargetFailed("OpenVINO refused it", tuple(str(error).splitlines()[:5])) from error
        request = compiled.create_infer_request()
        for number, map_1CHW in enumerate(self.inputs.of(graph)):
            request.set_input_tensor(number, library.Tensor(map_1CHW, shared_memory=True))
        return OnCpu(request.infer, sum(each.byte_size for each in request.output_tensors), process_time)


def _model(graph: ClosedGraph) -> bytes:
    return to_onnx(graph, random_weights(graph)).SerializeToString()


def _conditions(runtime: str, version: str, *, dead_code: Literal["run", "removed"]) -> Measurement:
    return Measurement(
        device=cpu_name(),
        runtime=runtime,
        version=version,
        precision="fp32",
        threads=1,
        clock="cpu",
        statistic="minimum",
        rounds=10,
        batch_norm="folded",
        constants="folded",
        dead_code=dead_code,
    )


def _onnxruntime() -> Any:
    with interrupt_held():  # while the library loads it makes an ImportError of a KeyboardInterrupt
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

        return onnxruntime


def _openvino() -> Any:
    from importlib import import_module

    return import_module("openvino")
