"""One closed graph to one target: artefacts, manifest, and on request how far they are from the torch network.

Nothing here imports torch or onnx before a target needs it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Literal, TypeAlias

from archdsl.backends.manifest import (
    Artefact,
    Classes,
    FileWeights,
    Input,
    JsonValue,
    Manifest,
    Measured,
    Output,
    Preprocessing,
    RandomWeights,
    SourceFile,
    manifest_bytes,
)
from archdsl.backends.targets import Emit, OutputPath, Precision, Refused, Target, output_path
from archdsl.backends.tensorrt.trt_plan import Flavour
from archdsl.backends.tools import require
from archdsl.backends.verify.parity import DEFAULT_TOLERANCE, Parity
from archdsl.files import staged
from archdsl.ir import Graph, identifier
from archdsl.space import Image, Result
from archdsl.weights import Tensors, to_bytes
from archdsl.weights.description import Description
from archdsl.weights.specification import wanted_of

Kind: TypeAlias = Literal["onnx", "torch-source", "trt-plan", "trt-sidecar", "weights"]


@dataclass(frozen=True, slots=True)
class Described:
    """What the manifest says of a network beside its graph."""

    text: str = ""
    """`FILE:NAME` as the user gave it."""
    space: str = ""
    hash: str = ""
    sources: tuple[SourceFile, ...] = ()
    parameters: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    class_names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    padding_multiple: int = 1
    """What height and width have to be multiples of."""


@dataclass(frozen=True, slots=True)
class Request:
    graph: Graph
    """Closed, at the input size to compile for."""
    weights: Tensors
    weights_source: RandomWeights | FileWeights
    target: Target
    out: Path | None = None
    described: Described = field(default_factory=Described)
    precision: Precision = Precision.FP32
    emit: Emit = Emit.LOGITS
    verify: bool = False
    tolerance: float | None = None
    """Of the largest logit; by precision where it is None."""
    flavour: Flavour | None = None
    compute_capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    files: tuple[Path, ...]
    """The manifest is the last."""
    manifest: Manifest
    parity: Parity | None
    """None where it was not asked for."""

    def within(self) -> bool:
        """Whether everything that was measured is within its tolerance; true where nothing was asked for."""
        return self.parity is None or self.parity.within()


@dataclass(frozen=True, slots=True)
class _Built:
    kind: Kind
    suffix: str
    data: bytes


def compile_graph(request: Request) -> Compiled | Refused:
    """Builds the target's files and publishes all of them or none.

    A failed parity is no failure of the build: the files are there and `Compiled.within()` is false.
    Raises ToolMissing, TargetFailed, OSError, and KeyError for a weight that is missing.
    """
    place = output_path(request.out, identifier(request.graph.name), request.target)
    if isinstance(place, Refused):
        return place
    if refused := _refusal(request):
        return refused
    built = _build(request, place)
    parity = _verified(request, built) if request.verify else None
    manifest = _manifest(request, place, built, parity)
    with staged(place.folder) as staging:
        for part in built:
            staging.write(place.stem + part.suffix, part.data)
        staging.write(f"{place.stem}.{request.target}.manifest.json", manifest_bytes(manifest))
        files = staging.places
    return Compiled(files, manifest, parity)


def _refusal(request: Request) -> Refused | None:
    graph = request.graph
    if not graph.closed:
        return Refused(f"`{graph.name}` still asks {len(graph.questions)} questions", "answer them in a genotype")
    if request.target is Target.TORCH and request.precision is not Precision.FP32:
        return Refused("the target `torch` is always fp32", "call `.half()` on the network")
    if request.target is Target.TORCH and request.emit is not Emit.LOGITS:
        return Refused("the target `torch` gives logits", "call `.argmax(1)` on them")
    return None


# Targets ----------------------------------------------------------------------------------------


def _build(request: Request, place: OutputPath) -> tuple[_Built, ...]:
    match request.target:
        case Target.TORCH:
            return _build_torch(request, place)
        case Target.ONNX:
            return (_Built("onnx", ".onnx", _onnx_bytes(request, request.precision)),)
        case Target.TRT:
            return _build_trt(request)


def _build_torch(request: Request, place: OutputPath) -> tuple[_Built, ...]:
    require("torch")
    from archdsl.backends.torch_source.source import Origin, to_torch_source

    described = request.described
    origin = Origin(described.text, described.hash, f"{place.stem}.safetensors", _preprocessing_sentence(described))
    source = to_torch_source(request.graph, origin)
    return (
        _Built("torch-source", ".py", source.encode()),
        _Built("weights", ".safetensors", _weights_bytes(request)),
    )


def _weights_bytes(request: Request) -> bytes:
    """Every tensor of the graph, those of auxiliary outputs too where they are known: what `--weights` takes."""
    described = request.described
    tensors = {name: request.weights[name] for name in wanted_of(request.graph, request.weights)}
    known = Description(described.class_names, described.mean, described.std)
    return to_bytes(tensors, {"archdsl.hash": described.hash, **known.metadata()})


def _build_trt(request: Request) -> tuple[_Built, ...]:
    from archdsl.backends.tensorrt.build import build_plan
    from archdsl.backends.tensorrt.trt_plan import sidecar_bytes

    plan = build_plan(
        _onnx_bytes(request, Precision.FP32),
        request.precision,
        flavour=request.flavour,
        compute_capabilities=request.compute_capabilities,
    )
    suffix = plan.flavour.suffix
    return _Built("trt-plan", suffix, plan.data), _Built("trt-sidecar", f"{suffix}.json", sidecar_bytes(plan))


def _onnx_bytes(request: Request, precision: Precision) -> bytes:
    require("onnx")
    from archdsl.backends.onnx.half import to_half
    from archdsl.backends.onnx.model import to_onnx

    labels = request.emit is Emit.LABELS
    model = to_onnx(request.graph, request.weights, labels=labels, metadata=_metadata(request))
    if precision is Precision.FP16:
        model = to_half(model)
    return model.SerializeToString(deterministic=True)


def _metadata(request: Request) -> dict[str, str]:
    """What who has nothing but the ONNX file has to know."""
    described = request.described
    preprocessing = _preprocessing(request)
    return {
        "archdsl.hash": described.hash,
        "archdsl.text": described.text,
        "archdsl.weights": request.weights_source.model_dump_json(),
        "channel_order": preprocessing.channel_order,
        "class_names": json.dumps(list(described.class_names), ensure_ascii=False),
        "mean": json.dumps(list(described.mean)),
        "padding_multiple": str(preprocessing.padding_multiple),
        "std": json.dumps(list(described.std)),
    }


def _preprocessing_sentence(described: Described) -> str:
    """Empty where it is not known what the network was trained with."""
    if not described.mean:
        return ""
    return f"Images are RGB, from 0 to 1, minus {described.mean}, divided by {described.std}"


# Manifest ---------------------------------------------------------------------------------------


def _manifest(request: Request, place: OutputPath, built: tuple[_Built, ...], parity: Parity | None) -> Manifest:
    graph, described = request.graph, request.described
    outputs = tuple(_outputs(request))
    options: dict[str, JsonValue] = {
        "precision": str(request.precision),
        "emit": str(request.emit),
        "input": list(_shape(graph, graph.images[0])),
    }
    logits = graph.node(graph.results[0]).shape.channels
    return Manifest(
        name=graph.name,
        space=described.space,
        hash=described.hash,
        sources=described.sources,
        parameters=dict(described.parameters),
        target=str(request.target),
        options=options,
        tools=_tools(request),
        inputs=tuple(
            Input(name=image.name, shape=_shape(graph, path), preprocessing=_preprocessing(request))
            for path, image in graph.with_payload(Image)
        ),
        outputs=outputs,
        classes=Classes(count=logits, names=described.class_names) if isinstance(logits, int) else None,
        weights=request.weights_source,
        artefacts=tuple(
            Artefact(path=place.stem + part.suffix, kind=part.kind, bytes=len(part.data), sha256=_sha256(part.data))
            for part in built
        ),
        parity=_measured(parity) if parity else (),
    )


def _outputs(request: Request) -> list[Output]:
    graph = request.graph
    image = _shape(graph, graph.images[0])
    found: list[Output] = []
    for path in graph.results:
        result = graph.node(path).payload
        assert isinstance(result, Result)
        if result.auxiliary:
            continue
        shape = _shape(graph, path)
        if request.emit is Emit.LABELS:
            size = shape[2:] if shape[2:] == (1, 1) else image[2:]
            found.append(Output(name=result.name, shape=(1, *size), kind="labels"))
        else:
            found.append(Output(name=result.name, shape=shape, kind="logits"))
    return found


def _shape(graph: Graph, path: str) -> tuple[int, int, int, int]:
    shape = graph.node(path).shape
    assert isinstance(shape.channels, int)
    return 1, shape.channels, shape.height, shape.width


def _preprocessing(request: Request) -> Preprocessing:
    described = request.described
    return Preprocessing(mean=described.mean, std=described.std, padding_multiple=described.padding_multiple)


def _tools(request: Request) -> dict[str, str]:
    match request.target:
        case Target.TORCH:
            names = ["torch"]
        case Target.ONNX:
            names = ["onnx"]
        case Target.TRT:
            from archdsl.backends.tensorrt.build import find_flavour

            names = ["onnx", (request.flavour or find_flavour()).module]
    return {name: version(name) for name in names}


def _measured(parity: Parity) -> tuple[Measured, ...]:
    return tuple(
        Measured(
            runtime=run.runtime,
            height=run.height,
            width=run.width,
            difference=run.difference if run.difference is not None and isfinite(run.difference) else None,
            tolerance=parity.tolerance,
            within=run.within(parity.tolerance),
            not_run=run.not_run,
        )
        for run in parity.runs
    )


def _verified(request: Request, built: tuple[_Built, ...]) -> Parity:
    require("torch")
    from archdsl.backends.compare import Subject, verify

    subjects = tuple(Subject(part.kind, part.data, _sha256(part.data)) for part in built)
    tolerance = DEFAULT_TOLERANCE[request.precision] if request.tolerance is None else request.tolerance
    return verify(request.graph, request.weights, subjects, tolerance=tolerance)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
