"""Compiled files against the torch network, cell by cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from archdsl.backends.failures import TargetFailed
from archdsl.backends.manifest import Manifest, read_manifest
from archdsl.backends.targets import Precision
from archdsl.backends.tensorrt.trt_plan import BadPlan, Flavour, Sidecar, read_header, read_sidecar
from archdsl.backends.tools import require
from archdsl.backends.verify.parity import DEFAULT_TOLERANCE, CellDifference, Parity, Run
from archdsl.backends.verify.probe_points import CellEnd, Observed, cell_ends
from archdsl.ir import Graph
from archdsl.nets import Network, load_weights
from archdsl.space import Result
from archdsl.weights import Tensors
from archdsl.weights.specification import closed_count

Size: TypeAlias = "tuple[int, int]"

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """A file to compare: its kind as in a manifest, its bytes, and what their checksum has to be."""

    kind: str
    data: bytes
    sha256: str


def verify_files(
    graph: Graph,
    weights: Tensors,
    manifest_file: Path,
    *,
    sizes: Sequence[Size] = (),
    tolerance: float | None = None,
) -> Parity:
    """The artefacts that a manifest names, which lie beside it.

    Raises ManifestUnreadable, OSError, and TargetFailed where a file is not the one that was compiled.
    """
    manifest = read_manifest(manifest_file)
    subjects = tuple(
        Subject(artefact.kind, (manifest_file.parent / artefact.path).read_bytes(), artefact.sha256)
        for artefact in manifest.artefacts
    )
    chosen = _default_tolerance(manifest) if tolerance is None else tolerance
    return verify(graph, weights, subjects, sizes=sizes, tolerance=chosen)


def verify(
    graph: Graph,
    weights: Tensors,
    subjects: Sequence[Subject],
    *,
    sizes: Sequence[Size] = (),
    tolerance: float,
) -> Parity:
    """Each subject at each (height, width), by default at the graph's own, on one random image a size.

    Nothing is loaded or run before its bytes have the checksum that they should have: TargetFailed otherwise.
    """
    for subject in subjects:
        if hashlib.sha256(subject.data).hexdigest() != subject.sha256:
            raise TargetFailed(f"the {subject.kind} file is not the one that was compiled: its sha256 differs")
    image = graph.node(graph.images[0]).shape
    by_kind = {subject.kind: subject.data for subject in subjects}
    network = Network(graph)
    load_weights(network, weights)
    network.eval()
    runs: list[Run] = []
    for size in sizes or ((image.height, image.width),):
        runs.extend(_runs(network, by_kind, size))
    checked = tuple(replace(run, checked=("sha256", *run.checked)) for run in runs)
    return Parity(tolerance, checked)


def _runs(network: Network, by_kind: Mapping[str, bytes], size: Size) -> list[Run]:
    runs: list[Run] = []
    if "torch-source" in by_kind:
        from archdsl.backends.torch_source.standalone import observe_standalone

        names = [name for _, name in _outputs(network.graph)]
        standalone = partial(observe_standalone, by_kind["torch-source"], by_kind["weights"], names)
        runs.append(_compared(network, "torch file", size, standalone))
    if "onnx" in by_kind:
        require("onnxruntime")
        from archdsl.backends.onnx.runtime import fixed_size, observe_onnx

        data = by_kind["onnx"]
        fixed = fixed_size(data)
        if fixed is not None and fixed != size:
            reason = f"the model is for images of {fixed[0]}x{fixed[1]}"
            runs.append(Run("onnxruntime", *size, not_run=reason))
        else:
            runs.append(_compared(network, "onnxruntime", size, partial(observe_onnx, data)))
    if "trt-plan" in by_kind:
        runs.append(_plan_run(network, by_kind["trt-plan"], by_kind["trt-sidecar"], size))
    return runs


def _compared(
    network: Network,
    runtime: str,
    size: Size,
    observe: Callable[[NDArray[np.float32], Sequence[CellEnd]], Observed],
) -> Run:
    graph = network.graph
    ends = cell_ends(graph)
    image = _image(graph, size)
    outputs = _outputs(graph)
    wanted = [*(end.path for end in ends), *(path for path, _ in outputs)]
    with torch.inference_mode():
        maps = network.probe(torch.as_tensor(image), wanted)
    found = observe(image, ends)
    cells = tuple(
        CellDifference(end.cell, _share(maps[end.path].numpy(), found.cells[end.path]))
        for end in ends
        if end.path in found.cells
    )
    difference = max(_output_difference(maps[path].numpy(), found.outputs[name], size) for path, name in outputs)
    return Run(runtime, *size, difference=difference, cells=cells)


def _outputs(graph: Graph) -> list[tuple[str, str]]:
    """The path of each output's map, with the output's name."""
    return [(graph.inputs(path)[0], end.name) for path, end in graph.with_payload(Result) if not end.auxiliary]


def _image(graph: Graph, size: Size) -> NDArray[np.float32]:
    channels = closed_count(graph.node(graph.images[0]).shape.channels, graph.images[0])
    return np.random.default_rng(0).normal(size=(1, channels, *size)).astype(np.float32)


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
    """Of labels, how much smaller than the largest logit the one of the label is: near ties may fall either way."""
    if found.ndim != 3:
        return _share(expected, found)
    logits = torch.as_tensor(expected, dtype=torch.float32)
    if logits.shape[2:] not in {(1, 1), size}:
        logits = torch.nn.functional.interpolate(logits, size=size, mode="bilinear")
    labels = torch.as_tensor(found, dtype=torch.int64)[:, None]
    if labels.shape[2:] != logits.shape[2:] or bool(((labels < 0) | (labels >= logits.shape[1])).any()):
        return float("inf")
    missed = logits.amax(1, keepdim=True) - logits.gather(1, labels)
    return float(missed.max() / logits.abs().max())


def _plan_run(network: Network, data: bytes, sidecar: bytes, size: Size) -> Run:
    """A plan is checked everywhere and run where there is a GPU that it is for."""
    from archdsl.backends.tensorrt.run import NotRun, run_plan

    try:
        said = read_sidecar(sidecar)
    except BadPlan as error:
        raise TargetFailed(f"the plan cannot be checked: {error}") from error
    checked = _plan_checked(data, said)
    if said.image != size:
        reason = f"the plan is for images of {said.image[0]}x{said.image[1]}"
        return Run("tensorrt", *size, not_run=reason, checked=checked)
    found = run_plan(data, said, _image(network.graph, size))
    if isinstance(found, NotRun):
        return Run("tensorrt", *size, not_run=found.reason, checked=checked)
    return replace(_compared(network, "tensorrt", size, lambda _image, _ends: found), checked=checked)


def _plan_checked(data: bytes, said: Sidecar) -> tuple[str, ...]:
    if said.sha256 != hashlib.sha256(data).hexdigest():
        raise TargetFailed("the plan is not the one that its sidecar describes: its sha256 differs")
    if said.flavour is not Flavour.RTX:
        return ("sidecar",)
    try:
        header = read_header(data)
    except BadPlan as error:
        raise TargetFailed(f"the plan is damaged: {error}") from error
    if header.version != said.version:
        raise TargetFailed(f"the plan is of version {header.version} and its sidecar says {said.version}")
    return ("sidecar", "header")


def _default_tolerance(manifest: Manifest) -> float:
    return DEFAULT_TOLERANCE[Precision(str(manifest.options.get("precision", Precision.FP32)))]
