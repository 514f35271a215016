"""The target `onnx`: one ONNX model with batch norm folded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archdsl.backends.bench.timing import cpu_name, random_images, sample, shapes_to_time
from archdsl.backends.fixed_shapes import described_shapes, fits
from archdsl.backends.manifest import Preprocessing
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.protocol import Built, NotRun, Observed, Probe, Request, TimedFile
from archdsl.extras import Extra, require
from archdsl.ops import Primitive, Shape

_MODEL = "onnx"


@dataclass(frozen=True, slots=True)
class Onnx:
    name: str = "onnx"
    title: str = "ONNX"
    suffixes: tuple[str, ...] = (".onnx",)
    timed: tuple[str, ...] = (".onnx",)
    precisions: tuple[Precision, ...] = (Precision.FP32, Precision.FP16)
    emits: tuple[Emit, ...] = (Emit.LOGITS, Emit.LABELS)
    auxiliary: bool = False
    runtime: str = "onnxruntime"

    def expresses(self, primitive: Primitive) -> bool:
        require(Extra.ONNX)
        from archdsl.backends.onnx.primitives import FORMS

        return primitive.name in FORMS or self.name in primitive.forms

    def refuse(self, request: Request) -> Refused | None:
        return None

    def build(self, request: Request, stem: str) -> tuple[Built, ...]:
        return (Built(_MODEL, ".onnx", onnx_bytes(request, request.precision)),)

    def libraries(self, request: Request) -> tuple[str, ...]:
        return ("onnx",)

    def run(self, files: Mapping[str, bytes], probe: Probe) -> Observed | NotRun:
        require(Extra.ONNX)
        from archdsl.backends.onnx.runtime import fixed_shapes, observe_onnx

        fixed = fixed_shapes(files[_MODEL])
        if not fits(fixed, probe.shapes):
            return NotRun(f"the model is for images of {described_shapes(fixed)}")
        return observe_onnx(files[_MODEL], probe.images, probe.ends)

    def recognises(self, file: Path) -> bool:
        return True

    def open(self, file: Path, asked: Shape | None, threads: int, *, trust: bool) -> TimedFile:
        require(Extra.ONNX)
        from archdsl.backends.onnx.session import open_onnx, runtime_version

        session = open_onnx(file, threads=threads)
        shapes = shapes_to_time(file, session.inputs, asked)
        call = partial(session.run, random_images(shapes))
        return TimedFile("ONNX Runtime", runtime_version(), cpu_name(), threads, shapes, partial(sample, call))


def onnx_bytes(request: Request, precision: Precision) -> bytes:
    """The model of a request, deterministically serialised. Raises ToolMissing, TargetFailed."""
    require(Extra.ONNX)
    from archdsl.backends.onnx.half import to_half
    from archdsl.backends.onnx.model import to_onnx

    labels = request.emit is Emit.LABELS
    model = to_onnx(request.graph, request.weights, labels=labels, metadata=_metadata(request))
    if precision is Precision.FP16:
        model = to_half(model)
    return model.SerializeToString(deterministic=True)


def _metadata(request: Request) -> dict[str, str]:
    """What users of the ONNX file alone have to know, as its metadata."""
    described = request.described
    return {
        "archdsl.hash": described.hash,
        "archdsl.text": described.text,
        "archdsl.weights": request.weights_source.model_dump_json(),
        "channel_order": Preprocessing().channel_order,
        "class_names": json.dumps(list(described.class_names), ensure_ascii=False),
        "mean": json.dumps(list(described.mean)),
        "padding_multiple": str(described.padding_multiple),
        "std": json.dumps(list(described.std)),
    }


BACKEND = Onnx()
