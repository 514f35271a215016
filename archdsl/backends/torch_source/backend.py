"""The target `torch`: one readable Python file with its weights beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archdsl.backends.bench.timing import NotTimed, channels, cpu_name, random_images, sample
from archdsl.backends.failures import Untrusted
from archdsl.backends.manifest import Manifest, read_manifest
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.backends.protocol import (
    Built,
    Described,
    GraphOf,
    NotRun,
    Observed,
    Probe,
    Request,
    Samples,
    Shapes,
    TimedFile,
)
from archdsl.backends.torch_source.primitives import FORMS
from archdsl.extras import Extra, require
from archdsl.files import read_whole
from archdsl.ir import ClosedGraph, identifier
from archdsl.ops import Primitive, Shape
from archdsl.weights import to_bytes
from archdsl.weights.description import Description
from archdsl.weights.files import open_weights
from archdsl.weights.specification import closed_count, wanted_of

_SOURCE, _WEIGHTS = "torch-source", "weights"
_CODE = "Python code"
_DOCSTRING = re.compile(rb'"""[^"\\]*"""\n')
"""What a torch file says of where it comes from, and nothing that is executed."""


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
        from archdsl.backends.output import OutputPath, output_path
        from archdsl.backends.torch_source.names import is_module

        if request.precision is not Precision.FP32:
            return Refused("the target `torch` is always fp32", "call `.half()` on the network")
        if request.emit is not Emit.LOGITS:
            return Refused("the target `torch` gives logits", "call `.argmax(1)` on them")
        place = output_path(request.out, identifier(request.graph.name), self.name)
        if isinstance(place, OutputPath) and is_module(place.stem):
            hidden = f"`{place.stem}.py` would stand in the way of the module `{place.stem}`"
            return Refused(f"{hidden}, and Python could not run it", "name another file, as in `-o net.py`")
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

        if not probe.trust:
            raise Untrusted("the torch file", "it is not what this version writes for the text", "Comparing", _CODE)
        return observe_standalone(files[_SOURCE], files[_WEIGHTS], probe.outputs, probe.images, probe.ends)

    def recognises(self, file: Path) -> bool:
        """A folder may hold other Python files."""
        return _manifest_file(file).exists()

    def open(self, file: Path, asked: Shape | None, threads: int, *, trust: bool) -> TimedFile:
        if not trust:
            raise _not_timed(file, "it was not made anew from a text")
        manifest = read_manifest(_manifest_file(file)) if _manifest_file(file).exists() else None
        return _timed(file, read_whole(file), _shapes(file, manifest, asked), threads)

    def made_anew(self, graph: ClosedGraph, files: Mapping[str, bytes]) -> Mapping[str, bytes] | None:
        """Compared is all but the docstring, which says how the user called the text."""
        from archdsl.backends.torch_source.source import to_torch_source

        ours = to_torch_source(graph).encode()
        if _without_docstring(files[_SOURCE]) != _without_docstring(ours):
            return None
        return {**files, _SOURCE: ours}

    def open_anew(self, file: Path, asked: Shape | None, threads: int, graph_of: GraphOf) -> TimedFile:
        require(Extra.TORCH)
        place = _manifest_file(file)
        if not place.exists():
            raise _not_timed(file, "there is no manifest beside it")
        manifest, source = read_manifest(place), read_whole(file)
        if hashlib.sha256(source).hexdigest() not in [
            each.sha256 for each in manifest.artefacts if each.kind == _SOURCE
        ]:
            raise _not_timed(file, "its sha256 is not the one in its manifest")
        graph = graph_of(manifest)
        if isinstance(graph, str):
            raise _not_timed(file, graph)
        anew = self.made_anew(graph, {_SOURCE: source})
        if anew is None:
            raise _not_timed(file, "it is not what this version writes for the text that its manifest names")
        return _timed(file, anew[_SOURCE], _shapes(file, manifest, asked), threads)


def _preprocessing(described: Described) -> str:
    """Empty where it is not known what the network was trained with."""
    if not described.mean:
        return ""
    what = "Images are RGB" if len(described.mean) == 3 else "Images are the channels of all inputs, in their order"
    return f"{what}, from 0 to 1, minus {described.mean}, divided by {described.std}"


def _weights(request: Request) -> bytes:
    """Every tensor of the graph, those of auxiliary outputs too where they are known: what `--weights` takes."""
    described = request.described
    tensors = {name: request.weights[name] for name in wanted_of(request.graph, request.weights)}
    known = Description(described.class_names, described.mean, described.std)
    return to_bytes(tensors, {"archdsl.hash": described.hash, **known.metadata()})


def _manifest_file(file: Path) -> Path:
    return file.with_name(f"{file.stem}.torch.manifest.json")


def _not_timed(file: Path, why: str) -> Untrusted:
    return Untrusted(f"`{file}`", why, "Timing", _CODE)


def _without_docstring(source: bytes) -> bytes:
    """Of a file that does not begin with a docstring as ours, all of it."""
    found = _DOCSTRING.match(source)
    return source if found is None else source[found.end() :]


def _shapes(file: Path, manifest: Manifest | None, asked: Shape | None) -> Shapes:
    """The images to time a file on: it takes them in any size, all inputs by one factor. Raises NotTimed."""
    if manifest is None:
        if asked is None:
            raise NotTimed(f"nothing says which images `{file}` is for: give `--input 1x3xHxW`")
        return {"image": (1, closed_count(asked.channels, "--input"), *asked.size)}
    compiled_for = {each.name: each.shape for each in manifest.inputs}
    if asked is None:
        return compiled_for
    _, count, height, width = manifest.inputs[0].shape
    if asked.channels != count:
        raise NotTimed(f"`{file}` reads images of {channels(count)}, and `--input 1x{asked}` has {asked.channels}")
    return {
        name: (1, own, rows * asked.height // height, columns * asked.width // width)
        for name, (_, own, rows, columns) in compiled_for.items()
    }


def _timed(file: Path, source: bytes, shapes: Shapes, threads: int) -> TimedFile:
    """`source` is executed: it is ours, or trusted. Raises UnreadableWeights, BrokenWeights, TargetFailed, OSError."""
    place = file.with_suffix(".safetensors")
    for tensor in open_weights(place).tensors.values():
        tensor.numbers()  # the file reads them too, and says less of what is wrong
    weights = read_whole(place)
    require(Extra.TORCH)
    import torch

    from archdsl.backends.torch_source.standalone import load_standalone

    network = load_standalone(source, weights)
    images = [torch.as_tensor(image) for image in random_images(shapes).values()]

    def measure(warm_up: int, runs: int, done: Callable[[int], None]) -> Samples:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                return sample(lambda: network(*images), warm_up, runs, done)
        finally:
            torch.set_num_threads(before)

    return TimedFile("torch", torch.__version__, cpu_name(), threads, shapes, measure)


BACKEND = TorchSource()
