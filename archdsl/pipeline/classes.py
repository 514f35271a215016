"""How many classes a network tells apart: a parameter of its space, decided by data or by trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archdsl.pipeline.load import Loaded, load

CLASSES: Final = "classes"
"""The parameter."""


def with_classes(loaded: Loaded, given: Mapping[str, str], count: int) -> dict[str, str]:
    """The parameters to load a network with, so that it has `count` classes; those that are given stay."""
    if CLASSES in given or CLASSES not in dict(loaded.program.parameters):
        return dict(given)
    return {**given, CLASSES: str(count)}


def fitted(
    loaded: Loaded, path: str, given: Mapping[str, str], count: int, size: tuple[int, int] | None = None
) -> Loaded:
    """What was loaded from `path` with the parameters `given`, with `count` classes; as it is where that is 0."""
    fitting = with_classes(loaded, given, count) if count else given
    return loaded if fitting == given else load(path, overrides=fitting, size=size)
