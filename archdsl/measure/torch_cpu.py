"""torch on one thread of the CPU: the standalone file as it is, or compiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from archdsl.backends.bench.timing import cpu_name
from archdsl.backends.failures import TargetFailed
from archdsl.backends.torch_source.source import to_torch_source
from archdsl.backends.torch_source.standalone import load_standalone
from archdsl.cost.tables import Measurement
from archdsl.extras import ToolMissing
from archdsl.ir import ClosedGraph
from archdsl.measure.cpu import Inputs, OnCpu
from archdsl.weights import random_weights, to_bytes


@dataclass(slots=True)
class TorchOnCpu:
    """Sets torch to one thread for the rest of the process."""

    compiled: bool
    inputs: Inputs = field(default_factory=Inputs.empty)

    def __post_init__(self) -> None:
        if self.compiled and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
            raise ToolMissing("g++", "apt-get install g++")
        torch.set_num_threads(1)

    @property
    def conditions(self) -> Measurement:
        return Measurement(
            device=cpu_name(),
            runtime="torch.compile" if self.compiled else "torch",
            version=torch.__version__,
            precision="fp32",
            threads=1,
            clock="cpu",
            statistic="median",
            rounds=20,
            batch_norm="kept",
            constants="computed",
            dead_code="removed" if self.compiled else "run",
        )

    def open(self, graph: ClosedGraph) -> OnCpu:
        network = torch_network(graph)
        maps_BCHW = [torch.as_tensor(each) for each in self.inputs.of(graph)]
        call = compile_network(network) if self.compiled else network
        if self.compiled:
            _run(call, maps_BCHW)  # what the compiler takes is none of the network's memory
        return OnCpu(lambda: _run(call, maps_BCHW))


def _run(call: Callable[..., Any], maps_BCHW: list[torch.Tensor]) -> None:
    with torch.inference_mode():
        call(*maps_BCHW)


def torch_network(graph: ClosedGraph) -> torch.nn.Module:
    """The network of the standalone torch file."""
    return load_standalone(to_torch_source(graph).encode(), to_bytes(random_weights(graph), {}))


def compile_network(network: torch.nn.Module) -> Callable[..., Any]:
    """Compiled at its first call, for maps of one size. That call raises TargetFailed where the compiler fails."""
    library: Any = torch
    compiled = library.compile(network, fullgraph=True, dynamic=False)

    def call(*maps_BCHW: torch.Tensor) -> Any:
        try:
            return compiled(*maps_BCHW)
        except RuntimeError as error:
            raise TargetFailed("torch.compile failed", tuple(str(error).splitlines()[:5])) from error

    return call
