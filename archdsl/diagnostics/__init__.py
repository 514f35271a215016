"""Diagnostics: data, output formats, one page per code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.model import Diagnostic, Fix, Label, Severity

if TYPE_CHECKING:
    from archdsl.diagnostics.pages import page, titles
    from archdsl.diagnostics.styles import Style, show

__all__ = ["Diagnostic", "Fix", "Label", "Severity", "Style", "page", "show", "titles"]

_MODULES = {"Style": "styles", "show": "styles", "page": "pages", "titles": "pages"}


def __getattr__(name: str) -> Any:
    """Imports the output formats on first use: without diagnostics they are not needed."""
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
