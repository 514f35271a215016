"""What runs rows and networks while they are timed: one runtime on one device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archdsl.cost.tables import Measurement
from archdsl.ir import ClosedGraph


class RuntimeName(StrEnum):
    EAGER = "eager"
    """torch, as the standalone file of `compile --target torch` runs."""
    ORT = "ort"
    """ONNX Runtime."""
    COMPILE = "compile"
    """torch.compile of the standalone file."""
    OPENVINO = "openvino"
    TRT = "trt"
    """TensorRT."""


class DeviceName(StrEnum):
    CPU = "cpu"
    CUDA = "cuda"


class NotMeasured(Exception):
    """A measurement that cannot be made as it was asked for; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One call."""

    seconds: float
    """By the clock of the runtime."""
    wall_s: float


class Opened(Protocol):
    """A network that is ready to run on inputs of its own."""

    def first(self) -> int | None:
        """The first call: the bytes that it took at its peak beyond inputs and weights, None where nothing says."""
        ...

    def call(self) -> Sample:
        """Raises TargetFailed where the runtime fails."""
        ...


class Runtime(Protocol):
    @property
    def conditions(self) -> Measurement:
        """What the head of a table says, with the fewest rounds that its statistic is good for."""
        ...

    def open(self, graph: ClosedGraph) -> Opened:
        """A closed graph with random weights, in inference mode. Raises TargetFailed, ToolMissing."""
        ...
