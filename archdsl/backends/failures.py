"""What can go wrong outside of us while a target is built."""

from __future__ import annotations

import importlib.util


class ToolMissing(Exception):
    """A library that a target needs is not installed; `install_line` is the command that brings it."""

    def __init__(self, tool: str, install_line: str) -> None:
        super().__init__(f"`{tool}` is not installed: {install_line}")
        self.tool = tool
        self.install_line = install_line


class TargetFailed(Exception):
    """A target's tool refused the network or died; `details` are its own words, one line each."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((message, *details)))
        self.message = message
        self.details = details


def require(*modules: str) -> None:
    """Raises ToolMissing for the first that is not installed. Imports none of them."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ToolMissing(module, f"pip install {module.replace('_', '-')}")
