"""One closed graph to one target: artefacts, manifest, and on request how far they are from the torch network.

Nothing here imports torch or onnx before a target needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isfinite
from pathlib import Path

from archdsl.backends.expressible import inexpressible
from archdsl.backends.manifest import (
    Artefact,
    Classes,
    Input,
    JsonValue,
    Manifest,
    Measured,
    Output,
    Preprocessing,
    manifest_bytes,
)
from archdsl.backends.options import Emit, Refused
from archdsl.backends.output import OutputPath, output_path
from archdsl.backends.protocol import Backend, Built, Request
from archdsl.backends.registry import find_target, package_of
from archdsl.backends.verify.parity import DEFAULT_TOLERANCE, Parity
from archdsl.extras import Extra, require
from archdsl.ir import ClosedGraph, identifier, output_shape
from archdsl.plugins import blamed
from archdsl.space import Image, Result
from archdsl.staging import staged


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


def compile_graph(request: Request) -> Compiled | Refused:
    """Builds the target's files and publishes all of them or none.

    A failed parity is no failure of the build: the files are there and `Compiled.within()` is false.
    Raises ToolMissing, TargetFailed, PluginFailed, OSError, and KeyError for a weight that is missing.
    """
    backend = find_target(request.target)
    if isinstance(backend, Refused):
        return backend
    place = output_path(request.out, identifier(request.graph.name), backend.name)
    if isinstance(place, Refused):
        return place
    if refused := _refusal(request, backend):
        return refused
    with blamed(f"the target `{backend.name}`", package_of(backend), "which fails to build it"):
        built = backend.build(request, place.stem)
    parity = _verified(request, backend, built) if request.verify else None
    manifest = _manifest(request, backend, place, built, parity)
    with staged(place.folder) as staging:
        for part in built:
            staging.write(place.stem + part.suffix, part.data)
        staging.write(f"{place.stem}.{backend.name}.manifest.json", manifest_bytes(manifest))
        files = staging.places
    return Compiled(files, manifest, parity)


def _refusal(request: Request, backend: Backend) -> Refused | None:
    graph = request.graph
    if refused := backend.refuse(request):
        return refused
    if request.precision not in backend.precisions:
        return _not_among("precision", request.precision, backend, backend.precisions)
    if request.emit not in backend.emits:
        return _not_among("output", request.emit, backend, backend.emits)
    if missing := inexpressible(graph, backend):
        return Refused(f"the target `{backend.name}` has no form for `{missing[0]}`", "compile to another target")
    return None


def _not_among(what: str, given: str, backend: Backend, allowed: Sequence[str]) -> Refused:
    listed = " or ".join(f"`{each}`" for each in allowed)
    return Refused(f"the target `{backend.name}` has no {what} `{given}`", f"it has {listed}")


# Manifest ---------------------------------------------------------------------------------------


def _manifest(
    request: Request, backend: Backend, place: OutputPath, built: Sequence[Built], parity: Parity | None
) -> Manifest:
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
        target=backend.name,
        options=options,
        tools={name: version(name) for name in backend.libraries(request)},
        inputs=tuple(
            Input(name=image.name, shape=_shape(graph, path), preprocessing=_preprocessing(request, path))
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
        _, *size = shape = output_shape(graph, path)
        if request.emit is Emit.LABELS:
            written = image[2:] if size not in ([], [1, 1]) else size
            found.append(Output(name=result.name, shape=(1, *written), kind="labels"))
        else:
            found.append(Output(name=result.name, shape=(1, *shape), kind="logits"))
    return found


def _shape(graph: ClosedGraph, path: str) -> tuple[int, int, int, int]:
    shape = graph.node(path).shape
    assert isinstance(shape.channels, int)
    return 1, shape.channels, shape.height, shape.width


def _preprocessing(request: Request, path: str) -> Preprocessing:
    """Of one input: the mean and deviation of its own channels, of those of all inputs."""
    described, images = request.described, request.graph.images
    channels = [_shape(request.graph, image)[1] for image in images]
    start = sum(channels[: images.index(path)])
    own = slice(start, start + channels[images.index(path)])
    return Preprocessing(mean=described.mean[own], std=described.std[own], padding_multiple=described.padding_multiple)


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


def _verified(request: Request, backend: Backend, built: Sequence[Built]) -> Parity:
    require(Extra.TORCH)
    from archdsl.backends.verify.compare import verify_built

    tolerance = DEFAULT_TOLERANCE[request.precision] if request.tolerance is None else request.tolerance
    return verify_built(request.graph, request.weights, backend, built, tolerance)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
