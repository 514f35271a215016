"""A target: the ONNX model, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archdsl.backends.bench.timing import NotTimed
from archdsl.backends.onnx.backend import BACKEND as ONNX
from archdsl.backends.onnx.backend import onnx_bytes
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.protocol import Built, NotRun, Observed, Probe, Request, TimedFile
from archdsl.ops import Primitive, Shape


@dataclass(frozen=True, slots=True)
class Compressed:
    name: str = "onnxz"
    title: str = "compressed ONNX"
    suffixes: tuple[str, ...] = (".onnxz",)
    timed: tuple[str, ...] = ()
    precisions: tuple[Precision, ...] = (Precision.FP32,)
    emits: tuple[Emit, ...] = (Emit.LOGITS,)
    auxiliary: bool = False
    runtime: str = "onnxruntime, unpacked"

    def expresses(self, primitive: Primitive) -> bool:
        return ONNX.expresses(primitive)

    def refuse(self, request: Request) -> Refused | None:
        return None

    def build(self, request: Request, stem: str) -> tuple[Built, ...]:
        return (Built("onnxz", ".onnxz", zlib.compress(onnx_bytes(request, request.precision))),)

    def libraries(self, request: Request) -> tuple[str, ...]:
        return ONNX.libraries(request)

    def run(self, files: Mapping[str, bytes], probe: Probe) -> Observed | NotRun:
        return ONNX.run({"onnx": zlib.decompress(files["onnxz"])}, probe)

    def recognises(self, file: Path) -> bool:
        return True

    def open(self, file: Path, asked: Shape | None, threads: int, *, trust: bool) -> TimedFile:
        raise NotTimed(f"`{file}` is compressed")


BACKEND = Compressed()
