"""Compiled files against the torch network, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from archdsl.backends.manifest import ManifestUnreadable, read_artefact, read_manifest
from archdsl.backends.options import Refused
from archdsl.backends.protocol import Backend, Built, MadeAnew, NotRun, Probe, Size
from archdsl.backends.registry import find_target
from archdsl.backends.verify.parity import DEFAULT_TOLERANCE, CellDifference, Parity, Run
from archdsl.backends.verify.probe_points import cell_ends
from archdsl.ir import ClosedGraph, vector_outputs
from archdsl.nets import Network, load_weights
from archdsl.space import Image, Result
from archdsl.weights import Tensors
from archdsl.weights.specification import closed_count

_PIECE = 1 << 20


def verify_files(
    graph: ClosedGraph,
    weights: Tensors,
    manifest_file: Path,
    *,
    sizes: Sequence[Size] = (),
    tolerance: float | None = None,
    trust: bool = False,
) -> Parity:
    """The artefacts that a manifest names, which lie beside it. Nothing is run before its checksum is right.

    A manifest can be anybody's, so without `trust` code in the files is not executed: where it is that of `graph`, it
    is made anew and that is run. Raises ManifestUnreadable, OSError, Untrusted where it is other code, and
    TargetFailed where a file is not the one that was compiled.
    """
    manifest = read_manifest(manifest_file)
    backend = find_target(manifest.target)
    if isinstance(backend, Refused):
        raise ManifestUnreadable(manifest_file, f"`target` is `{manifest.target}`, which no installed package has")
    files = _Artefacts(manifest_file)
    for artefact in manifest.artefacts:
        files[artefact.kind] = read_artefact(manifest_file.parent / artefact.path, artefact)
    chosen = DEFAULT_TOLERANCE[manifest.precision] if tolerance is None else tolerance
    if isinstance(backend, MadeAnew) and not trust and (anew := backend.made_anew(graph, files)) is not None:
        files.update(anew)
        trust = True
    return _parity(graph, weights, backend, files, sizes, chosen, trust=trust)


class _Artefacts(dict[str, bytes]):
    """The files of a manifest by their kinds. Which of them there have to be, the target knows that runs them."""

    def __init__(self, manifest_file: Path) -> None:
        self.manifest_file = manifest_file

    def __missing__(self, kind: str) -> bytes:
        raise ManifestUnreadable(self.manifest_file, f"`artefacts` have no file of the kind `{kind}`")


def verify_built(
    graph: ClosedGraph, weights: Tensors, backend: Backend, built: Sequence[Built], tolerance: float
) -> Parity:
    """Files that are not written yet, at the graph's own size. Raises TargetFailed."""
    return _parity(graph, weights, backend, {part.kind: part.data for part in built}, (), tolerance)


def _parity(
    graph: ClosedGraph,
    weights: Tensors,
    backend: Backend,
    files: Mapping[str, bytes],
    sizes: Sequence[Size],
    tolerance: float,
    *,
    trust: bool = True,
) -> Parity:
    """One run at each (height, width), by default at the graph's own, each on one random image."""
    network = Network(graph)
    load_weights(network, weights)
    network.eval()
    chosen = sizes or (graph.node(graph.images[0]).shape.size,)
    return Parity(tolerance, tuple(_run(network, backend, files, size, trust=trust) for size in chosen))


def _run(network: Network, backend: Backend, files: Mapping[str, bytes], size: Size, *, trust: bool) -> Run:
    graph = network.graph
    ends, outputs = cell_ends(graph), _outputs(graph)
    probe = Probe(_images(graph, size), tuple(name for _, name in outputs), ends, trust)
    found = backend.run(files, probe)
    checked = ("sha256", *found.checked)
    if isinstance(found, NotRun):
        return Run(backend.runtime, *size, not_run=found.reason, checked=checked)
    wanted = [*(end.path for end in ends), *(path for path, _ in outputs)]
    with torch.inference_mode():
        maps = network.probe([torch.as_tensor(image) for image in probe.images.values()], wanted)
    cells = tuple(
        CellDifference(end.cell, _share(maps[end.path].numpy(), found.cells[end.path]))
        for end in ends
        if end.path in found.cells
    )
    vectors = vector_outputs(graph)
    difference = max(
        _output_difference(
            (maps[path].flatten(1) if name in vectors else maps[path]).numpy(), found.outputs[name], size
        )
        for path, name in outputs
    )
    return Run(backend.runtime, *size, difference=difference, cells=cells, checked=checked)


def _outputs(graph: ClosedGraph) -> list[tuple[str, str]]:
    """The path of each output's map, with the output's name."""
    return [(graph.inputs(path)[0], end.name) for path, end in graph.with_payload(Result) if not end.auxiliary]


def _images(graph: ClosedGraph, size: Size) -> dict[str, NDArray[np.float32]]:
    """An image for each input by its name: `size` for the first, for others their part of it."""
    first, generator = graph.node(graph.images[0]).shape, np.random.default_rng(0)
    images: dict[str, NDArray[np.float32]] = {}
    for path, image in graph.with_payload(Image):
        shape = graph.node(path).shape
        own = (size[0] * shape.height // first.height, size[1] * shape.width // first.width)
        images[image.name] = generator.normal(size=(1, closed_count(shape.channels, path), *own)).astype(np.float32)
    return images


def _share(expected: NDArray[np.generic], found: NDArray[np.generic]) -> float:
    """The largest difference over the largest value expected; infinite where the shapes differ."""
    if expected.shape != found.shape:
        return float("inf")
    difference = largest = 0.0
    # In pieces, because logits as float64 are 0.3 GB at 1024x2048; np.maximum so that nan stays.
    for start in range(0, expected.size, _PIECE):
        exact = expected.reshape(-1)[start : start + _PIECE].astype(np.float64)
        other = found.reshape(-1)[start : start + _PIECE].astype(np.float64)
        difference = float(np.maximum(difference, np.abs(exact - other).max()))
        largest = float(np.maximum(largest, np.abs(exact).max()))
    return difference / largest if largest else difference


def _output_difference(expected: NDArray[np.generic], found: NDArray[np.generic], size: Size) -> float:
    """Of labels, how much smaller than the largest logit the one of the label is: near ties may fall either way.

    `expected` are logits, BxKxHxW or BxK; `found` the same, or labels, which have no K.
    """
    if found.ndim != expected.ndim - 1:
        return _share(expected, found)
    if found.ndim == 1:
        expected, found = expected[..., None, None], found[..., None, None]
    logits = torch.as_tensor(expected, dtype=torch.float32)
    if logits.shape[2:] not in {(1, 1), size}:
        logits = torch.nn.functional.interpolate(logits, size=size, mode="bilinear")
    labels = torch.as_tensor(found, dtype=torch.int64)[:, None]
    if labels.shape[2:] != logits.shape[2:] or bool(((labels < 0) | (labels >= logits.shape[1])).any()):
        return float("inf")
    missed = logits.amax(1, keepdim=True) - logits.gather(1, labels)
    return float(missed.max() / logits.abs().max())
