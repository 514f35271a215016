"""The target `torch`: one readable Python file with its weights beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archdsl.backends.bench.timing import NotTimed, cpu_name, random_image, sample
from archdsl.backends.manifest import Manifest, read_manifest
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.protocol import Built, Described, NotRun, Observed, Probe, Request, Samples, Size, TimedFile
from archdsl.backends.torch_source.primitives import FORMS
from archdsl.extras import Extra, require
from archdsl.ops import Primitive
from archdsl.weights import to_bytes
from archdsl.weights.description import Description
from archdsl.weights.specification import wanted_of

_SOURCE, _WEIGHTS = "torch-source", "weights"


@dataclass(frozen=True, slots=True)
class TorchSource:
    name: str = "torch"
    title: str = "torch"
    suffixes: tuple[str, ...] = (".py", ".safetensors")
    timed: tuple[str, ...] = (".py",)
    precisions: tuple[Precision, ...] = (Precision.FP32,)
    emits: tuple[Emit, ...] = (Emit.LOGITS,)
    auxiliary: bool = True
    runtime: str = "torch file"

    def expresses(self, primitive: Primitive) -> bool:
        return primitive.name in FORMS or self.name in primitive.forms

    def refuse(self, request: Request) -> Refused | None:
        if request.precision is not Precision.FP32:
            return Refused("the target `torch` is always fp32", "call `.half()` on the network")
        if request.emit is not Emit.LOGITS:
            return Refused("the target `torch` gives logits", "call `.argmax(1)` on them")
        return None

    def build(self, request: Request, stem: str) -> tuple[Built, ...]:
        require(Extra.TORCH)
        from archdsl.backends.torch_source.source import Origin, to_torch_source

        described = request.described
        origin = Origin(described.text, described.hash, f"{stem}.safetensors", _preprocessing(described))
        source = to_torch_source(request.graph, origin)
        return Built(_SOURCE, ".py", source.encode()), Built(_WEIGHTS, ".safetensors", _weights(request))

    def libraries(self, request: Request) -> tuple[str, ...]:
        return ("torch",)

    def run(self, files: Mapping[str, bytes], probe: Probe) -> Observed | NotRun:
        from archdsl.backends.torch_source.standalone import observe_standalone

        return observe_standalone(files[_SOURCE], files[_WEIGHTS], probe.outputs, probe.image, probe.ends)

    def recognises(self, file: Path) -> bool:
        """A folder may hold other Python files."""
        return _manifest_file(file).exists()

    def open(self, file: Path, size: Size | None, threads: int, *, trust: bool) -> TimedFile:
        """The file's code is run, so its checksum is that of its manifest, unless the user trusts it."""
        manifest = read_manifest(_manifest_file(file)) if _manifest_file(file).exists() else None
        weights_file = file.with_suffix(".safetensors")
        source, weights = file.read_bytes(), weights_file.read_bytes()
        if not trust:
            _check_ours(file, manifest, source)
            _check_ours(weights_file, manifest, weights)
        compiled_for = None if manifest is None else manifest.inputs[0].shape[2:]
        chosen = size or compiled_for
        if chosen is None:
            raise NotTimed(f"nothing says which images `{file}` is for: give `--input 1x3xHxW`")
        require(Extra.TORCH)
        return _timed(source, weights, chosen, threads)


def _preprocessing(described: Described) -> str:
    """Empty where it is not known what the network was trained with."""
    if not described.mean:
        return ""
    return f"Images are RGB, from 0 to 1, minus {described.mean}, divided by {described.std}"


def _weights(request: Request) -> bytes:
    """Every tensor of the graph, those of auxiliary outputs too where they are known: what `--weights` takes."""
    described = request.described
    tensors = {name: request.weights[name] for name in wanted_of(request.graph, request.weights)}
    known = Description(described.class_names, described.mean, described.std)
    return to_bytes(tensors, {"archdsl.hash": described.hash, **known.metadata()})


def _manifest_file(file: Path) -> Path:
    return file.with_name(f"{file.stem}.torch.manifest.json")


def _check_ours(file: Path, manifest: Manifest | None, data: bytes) -> None:
    artefacts = () if manifest is None else manifest.artefacts
    wanted = next((each.sha256 for each in artefacts if each.path == file.name), None)
    if wanted == hashlib.sha256(data).hexdigest():
        return
    why = "there is no manifest beside it" if wanted is None else "its sha256 is not the one in its manifest"
    raise NotTimed(
        f"`{file}` is not run, for nothing shows that archdsl compiled it: {why}. Timing it runs the Python code that "
        "is in it; if you know what that does, give `--trust`"
    )


def _timed(source: bytes, weights: bytes, size: Size, threads: int) -> TimedFile:
    import torch

    from archdsl.backends.torch_source.standalone import load_standalone

    network = load_standalone(source, weights)
    image = torch.as_tensor(random_image(size))

    def measure(warm_up: int, runs: int, done: Callable[[int], None]) -> Samples:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                return sample(lambda: network(image), warm_up, runs, done)
        finally:
            torch.set_num_threads(before)

    return TimedFile("torch", torch.__version__, cpu_name(), threads, size, measure)


BACKEND = TorchSource()
