"""What can be compiled to, and where the result goes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Target(StrEnum):
    TORCH = "torch"
    ONNX = "onnx"
    TRT = "trt"


class Precision(StrEnum):
    FP32 = "fp32"
    FP16 = "fp16"


class Emit(StrEnum):
    LOGITS = "logits"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that cannot be met, told without having tried; `help` says what to ask for instead."""

    message: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Artefacts are `folder/stem` and a suffix."""

    folder: Path
    stem: str


_SUFFIXES = {
    ".py": Target.TORCH,
    ".safetensors": Target.TORCH,
    ".onnx": Target.ONNX,
    ".rtx.plan": Target.TRT,
    ".trt.plan": Target.TRT,
    ".plan": Target.TRT,
}
"""Longer ones first, for a file has one stem."""

DEFAULT_FOLDER = Path("compiled")


def find_target(name: str) -> Target | Refused:
    if name in {str(target) for target in Target}:
        return Target(name)
    near = difflib.get_close_matches(name, list(Target), 1)
    known = ", ".join(f"`{target}`" for target in Target)
    return Refused(f"there is no target `{name}`", f"did you mean `{near[0]}`?" if near else f"one of {known}")


def output_path(out: Path | None, name: str, target: Target) -> OutputPath | Refused:
    """A known suffix is that file, anything else a folder, nothing at all `compiled/NAME/`."""
    if out is None:
        return OutputPath(DEFAULT_FOLDER / name, name)
    suffix = next((suffix for suffix in _SUFFIXES if out.name.endswith(suffix) and out.name != suffix), None)
    if suffix is None:
        return OutputPath(out, name)
    if _SUFFIXES[suffix] is not target:
        return Refused(
            f"`{out.name}` is a file of the target `{_SUFFIXES[suffix]}`, and the target is `{target}`",
            f"write `--target {_SUFFIXES[suffix]}`, or give a folder",
        )
    return OutputPath(out.parent, out.name.removesuffix(suffix))
