"""Closed graphs to files: standalone torch, ONNX, TensorRT plans; manifests and parity.

Names are looked up on first use, so that one target does not pay for the libraries of another.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archdsl.backends.compare import verify_files
    from archdsl.backends.compile import Compiled, Described, Request, compile_graph
    from archdsl.backends.failures import TargetFailed, ToolMissing
    from archdsl.backends.onnx.model import to_onnx
    from archdsl.backends.targets import Refused
    from archdsl.backends.torch_source.source import to_torch_source

__all__ = [
    "Compiled",
    "Described",
    "Refused",
    "Request",
    "TargetFailed",
    "ToolMissing",
    "compile_graph",
    "to_onnx",
    "to_torch_source",
    "verify_files",
]

_MODULES = {
    "Compiled": "compile",
    "Described": "compile",
    "Refused": "targets",
    "Request": "compile",
    "TargetFailed": "failures",
    "ToolMissing": "failures",
    "compile_graph": "compile",
    "to_onnx": "onnx.model",
    "to_torch_source": "torch_source.source",
    "verify_files": "compare",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
