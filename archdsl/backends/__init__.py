"""Closed graphs to files: standalone torch, ONNX, TensorRT plans; manifests and parity.

Names are looked up on first use, so that one target does not pay for the libraries of another.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archdsl.backends.compile import Compiled, compile_graph
    from archdsl.backends.failures import TargetFailed
    from archdsl.backends.onnx.model import to_onnx
    from archdsl.backends.options import Refused
    from archdsl.backends.protocol import Backend, Described, Request
    from archdsl.backends.torch_source.source import to_torch_source
    from archdsl.backends.verify.compare import verify_files

__all__ = [
    "Backend",
    "Compiled",
    "Described",
    "Refused",
    "Request",
    "TargetFailed",
    "compile_graph",
    "to_onnx",
    "to_torch_source",
    "verify_files",
]

_MODULES = {
    "Compiled": "compile",
    "Described": "protocol",
    "Backend": "protocol",
    "Refused": "options",
    "Request": "protocol",
    "TargetFailed": "failures",
    "compile_graph": "compile",
    "to_onnx": "onnx.model",
    "to_torch_source": "torch_source.source",
    "verify_files": "verify.compare",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
