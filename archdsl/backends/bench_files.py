"""Compiled files opened to be timed, each by its own runtime."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.bench.timing import NotTimed, Samples, Size, Subject, sample
from archdsl.backends.failures import TargetFailed
from archdsl.backends.manifest import Manifest, read_manifest
from archdsl.backends.tensorrt.trt_plan import BadPlan, read_sidecar
from archdsl.backends.tools import require

SUFFIXES = (".onnx", ".py", ".rtx.plan", ".trt.plan")
"""Of files that can be timed."""


def find_files(out: Path) -> tuple[Path, ...]:
    """The file, or what can be timed in a folder. Raises NotTimed where there is nothing."""
    if not out.exists():
        raise NotTimed(f"`{out}` does not exist: name what `archdsl compile` wrote")
    if not out.is_dir():
        if not out.name.endswith(SUFFIXES):
            raise NotTimed(f"`{out}` is no compiled file: those end in {', '.join(SUFFIXES)}")
        return (out,)
    found = tuple(sorted(each for each in out.iterdir() if each.name.endswith(SUFFIXES) and _may_be_ours(each)))
    if not found:
        raise NotTimed(f"there is no compiled file in `{out}`: those end in {', '.join(SUFFIXES)}")
    return found


def _may_be_ours(path: Path) -> bool:
    """A folder may hold other Python files."""
    return not path.name.endswith(".py") or _manifest(path).exists()


def _manifest(path: Path) -> Path:
    return path.with_name(f"{path.stem}.torch.manifest.json")


def open_file(path: Path, size: Size | None, threads: int, *, trust: bool) -> Subject:
    """Raises NotTimed, ToolMissing, TargetFailed, ManifestUnreadable, UnreadableWeights, OSError."""
    if path.name.endswith(".onnx"):
        return _onnx(path, size, threads)
    if path.name.endswith(".py"):
        return _torch(path, size, threads, trust=trust)
    return _plan(path, size)


# ONNX -------------------------------------------------------------------------------------------


def _onnx(path: Path, size: Size | None, threads: int) -> Subject:
    require("onnxruntime")
    from archdsl.backends.onnx.session import open_onnx, runtime_version

    session = open_onnx(path, threads=threads)
    chosen = _size(path, session.size, size)
    call = partial(session.run, _image(chosen))
    return Subject("ONNX Runtime", runtime_version(), _cpu(), threads, chosen, partial(sample, call))


# torch ------------------------------------------------------------------------------------------


def _torch(path: Path, size: Size | None, threads: int, *, trust: bool) -> Subject:
    """The file is run, so it has to be the one that its manifest is about, or trusted by who asks."""
    manifest = read_manifest(_manifest(path)) if _manifest(path).exists() else None
    weights_file = path.with_suffix(".safetensors")
    source, weights = path.read_bytes(), weights_file.read_bytes()
    if not trust:
        _check_ours(path, manifest, source)
        _check_ours(weights_file, manifest, weights)
    compiled_for = None if manifest is None else manifest.inputs[0].shape[2:]
    chosen = size or compiled_for
    if chosen is None:
        raise NotTimed(f"nothing says which images `{path}` is for: give `--input 1x3xHxW`")
    require("torch")
    import torch

    from archdsl.backends.torch_source.standalone import load_standalone

    network = load_standalone(source, weights)
    image = torch.as_tensor(_image(chosen))

    def measure(warm_up: int, runs: int, done: Callable[[int], None]) -> Samples:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                return sample(lambda: network(image), warm_up, runs, done)
        finally:
            torch.set_num_threads(before)

    return Subject("torch", torch.__version__, _cpu(), threads, chosen, measure)


def _check_ours(path: Path, manifest: Manifest | None, data: bytes) -> None:
    artefacts = () if manifest is None else manifest.artefacts
    wanted = next((each.sha256 for each in artefacts if each.path == path.name), None)
    if wanted == hashlib.sha256(data).hexdigest():
        return
    why = "there is no manifest beside it" if wanted is None else "its sha256 is not the one in its manifest"
    raise NotTimed(
        f"`{path}` is not run, for nothing shows that archdsl compiled it: {why}. Timing it runs the Python code that "
        "is in it; if you know what that does, give `--trust`"
    )


# TensorRT ---------------------------------------------------------------------------------------


def _plan(path: Path, size: Size | None) -> Subject:
    from archdsl.backends.tensorrt.bench import samples_of_plan, ways_to_run

    sidecar_file = path.with_name(f"{path.name}.json")
    try:
        sidecar = read_sidecar(sidecar_file.read_bytes())
    except BadPlan as error:
        raise TargetFailed(f"`{path}` cannot be timed: {error}") from error
    plan = path.read_bytes()
    if hashlib.sha256(plan).hexdigest() != sidecar.sha256:
        raise TargetFailed(f"`{path}` is not the plan that its sidecar describes: its sha256 differs")
    chosen = _size(path, sidecar.image, size)
    machine = ways_to_run(sidecar)
    if machine.missing:
        raise TargetFailed(f"`{path}` cannot run here: {machine.missing}")
    measure = partial(samples_of_plan, plan, sidecar, _image(chosen))
    return Subject(f"TensorRT ({sidecar.flavour})", machine.version, machine.device, 1, chosen, measure)


# All --------------------------------------------------------------------------------------------


def _size(path: Path, compiled_for: Size | None, asked: Size | None) -> Size:
    if compiled_for is None and asked is None:
        raise NotTimed(f"`{path}` is for images of any size: give one with `--input 1x3xHxW`")
    if compiled_for is not None and asked not in (None, compiled_for):
        height, width = compiled_for
        raise NotTimed(
            f"`{path}` is for images of {height}x{width} alone: compile it for others, or leave out `--input`"
        )
    chosen = compiled_for or asked
    assert chosen is not None
    return chosen


def _image(size: Size) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(1, 3, *size)).astype(np.float32)


def _cpu() -> str:
    """The processor as Linux names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.processor() or platform.machine()
