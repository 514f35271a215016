"""Libraries that a target needs, looked for before anything is built."""

from __future__ import annotations

import importlib.util

from archdsl.backends.failures import ToolMissing


def require(*modules: str) -> None:
    """Raises ToolMissing for the first that is not installed. Imports none of them."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ToolMissing(module, f"pip install {module.replace('_', '-')}")
