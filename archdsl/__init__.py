"""A text language for neural-architecture search spaces and the networks found in them, and its compiler.

>>> import archdsl
>>> network = archdsl.build("spaces/genotypes/fasterseg_student.arch")
>>> archdsl.compile("spaces/genotypes/fasterseg_student.arch", target="onnx")

Nothing is imported before it is needed: `import archdsl` is fast, and torch is loaded by `build` and
`supernet` alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archdsl.api import Architecture, Refused, build, check, compare, compile, format, load, supernet
    from archdsl.extras import ToolMissing
    from archdsl.pipeline import NotLoaded

__all__ = [
    "Architecture",
    "NotLoaded",
    "Refused",
    "ToolMissing",
    "build",
    "check",
    "compare",
    "compile",
    "format",
    "load",
    "supernet",
]
__version__ = "0.1.0"

_HOMES = {"NotLoaded": "archdsl.pipeline", "ToolMissing": "archdsl.extras"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `archdsl` has no attribute `{name}`")
    return getattr(import_module(_HOMES.get(name, "archdsl.api")), name)
