"""How many classes a network tells apart: a parameter of its space, decided by data or by trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archdsl.pipeline.load import Loaded

CLASSES: Final = "classes"
"""The parameter."""


def with_classes(loaded: Loaded, given: Mapping[str, str], count: int) -> dict[str, str]:
    """The parameters to load a network with, so that it has `count` classes; those that are given stay."""
    if CLASSES in given or CLASSES not in dict(loaded.program.parameters):
        return dict(given)
    return {**given, CLASSES: str(count)}
