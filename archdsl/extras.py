"""What beyond the text tools is installed by extras: the packages of each, what needs which, and how to get them."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Extra(StrEnum):
    """As in `pip install 'archdsl[onnx]'`."""

    COST = "cost"
    DRAW = "draw"
    ONNX = "onnx"
    TORCH = "torch"
    TRT = "trt"
    TRAIN = "train"
    YAML = "yaml"
    RAY = "ray"
    SLURM = "slurm"


OF_CLUSTERS: Final = (Extra.RAY, Extra.SLURM)
"""For who has a cluster: `archdsl[all]` leaves them out, and without them nothing is missing."""


@dataclass(frozen=True, slots=True)
class Package:
    module: str
    distribution: str
    instead: str = ""
    """A module of another distribution that does as well."""


_ARRAYS: Final = (Package("numpy", "numpy"), Package("safetensors", "safetensors"))
_ONNX: Final = (
    Package("onnx", "onnx"),
    Package("onnxruntime", "onnxruntime"),
    Package("google.protobuf", "protobuf"),
    *_ARRAYS,
)
_TORCH: Final = (Package("torch", "torch"), *_ARRAYS)

PACKAGES: Final[Mapping[Extra, tuple[Package, ...]]] = {
    Extra.COST: (Package("numpy", "numpy"),),
    Extra.DRAW: (Package("pygraphviz", "pygraphviz"),),
    Extra.ONNX: _ONNX,
    Extra.TORCH: _TORCH,
    Extra.TRT: (Package("tensorrt_rtx", "tensorrt-rtx", instead="tensorrt"), *_ONNX),
    Extra.TRAIN: (
        Package("lightning_fabric", "lightning-fabric"),
        Package("tensorboard", "tensorboard"),
        Package("PIL", "pillow"),
        *_TORCH,
    ),
    Extra.YAML: (Package("yaml", "pyyaml"),),
    Extra.RAY: (Package("ray", "ray"),),
    Extra.SLURM: (Package("submitit", "submitit"),),
}

NEEDS: Final[Mapping[str, tuple[Extra, ...]]] = {
    "check": (),
    "fmt": (),
    "explain": (),
    "show": (),
    "stats": (),
    "cost": (),
    "cost fill --runtime eager": (Extra.TORCH,),
    "cost fill --runtime ort": (Extra.ONNX,),
    "cost fill --runtime compile": (Extra.TORCH,),
    "cost fill --runtime openvino": (Extra.ONNX,),
    "cost fill --runtime trt": (Extra.TRT, Extra.TORCH),
    "cost fit": (Extra.COST,),
    "cost sensitivity": (Extra.COST,),
    "expand": (),
    "sample": (),
    "derive": (),
    "diff": (),
    "new": (),
    "import": (),
    "export": (),
    "git": (),
    "doctor": (),
    "draw": (Extra.DRAW,),
    "diff --format svg": (Extra.DRAW,),
    "report": (Extra.DRAW,),
    "view": (Extra.DRAW,),
    "weights": (Extra.TORCH,),
    "import FILE.onnx": (Extra.ONNX,),
    "import FILE.yaml": (Extra.YAML,),
    "compile --target torch": (Extra.TORCH,),
    "compile --target onnx": (Extra.ONNX,),
    "compile --target trt": (Extra.TRT,),
    "compile --target onnx --verify": (Extra.ONNX, Extra.TORCH),
    "compile --target trt --verify": (Extra.TRT, Extra.TORCH),
    "verify": (Extra.TORCH,),
    "verify FILE.onnx": (Extra.ONNX, Extra.TORCH),
    "verify FILE.plan": (Extra.TRT, Extra.TORCH),
    "bench FILE.py": (Extra.TORCH,),
    "bench FILE.onnx": (Extra.ONNX,),
    "bench FILE.plan": (Extra.TRT, Extra.TORCH),
    "data": (Extra.TRAIN,),
    "train": (Extra.TRAIN,),
    "sweep": (Extra.TRAIN,),
    "sweep --executor ray": (Extra.RAY, Extra.TRAIN),
    "sweep --executor slurm": (Extra.SLURM, Extra.TRAIN),
    "baseline": (Extra.TRAIN,),
    "rank": (Extra.TRAIN,),
    "search": (Extra.TRAIN,),
    "eval": (Extra.TRAIN,),
    "eval FILE.onnx": (Extra.ONNX, Extra.TRAIN),
    "predict": (Extra.TRAIN,),
    "predict FILE.onnx": (Extra.ONNX, Extra.TRAIN),
}
"""Every command, with the options and files that change what it needs."""


class ToolMissing(Exception):
    """A package that something needs is not installed; `install_line` is the command that brings it."""

    def __init__(self, tool: str, install_line: str) -> None:
        super().__init__(f"`{tool}` is not installed: {install_line}")
        self.tool = tool
        self.install_line = install_line


def install_line(*extras: Extra) -> str:
    return f"pip install 'archdsl[{','.join(extras)}]'"


def require_for(use: str) -> None:
    """As `require`, for a line of NEEDS. One that is not there, such as an unknown target, is refused elsewhere."""
    require(*NEEDS.get(use, ()))


def require(*extras: Extra) -> None:
    """Raises ToolMissing for the first package that is not installed. Imports none of them."""
    for extra in extras:
        for package in PACKAGES[extra]:
            if not is_installed(package):
                raise ToolMissing(package.distribution, install_line(extra))


def require_package(package: Package, line: str) -> None:
    """Raises ToolMissing for a package that no extra brings, and that this line installs."""
    if not is_installed(package):
        raise ToolMissing(package.distribution, line)


def extra_with(module: str) -> Extra | None:
    """The first extra that brings a module; None for one that no extra brings."""
    for extra, packages in PACKAGES.items():
        if any(module == each.module or module.startswith(f"{each.module}.") for each in packages):
            return extra
    return None


def import_path() -> str:
    """`PYTHONPATH` for a program of ours in a process of its own: it finds this very package, wherever that lies.

    Such a program is started with `-P`, so that it imports nothing from the folder where the user works.
    """
    package = Path(__file__).parent.parent
    return os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])


def is_installed(package: Package) -> bool:
    """Whether its module, or the one that does as well, can be found; neither is imported."""
    return _found(package.module) or (package.instead != "" and _found(package.instead))


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # a parent is missing, or something stands in the module's place
        return False
