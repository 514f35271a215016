"""Datasets: read, checked, drawn, held in memory, put into batches. Knows nothing of networks.

torch is loaded with what holds tensors alone, so that a wrong folder is named at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archdsl.data.model import Classes, Data, Example, ImageInput, Split
from archdsl.data.opening import open_data
from archdsl.data.problems import BadData
from archdsl.data.subsets import split_indices

if TYPE_CHECKING:
    from archdsl.data.batches import Batches
    from archdsl.data.held import Held, hold

__all__ = [
    "BadData",
    "Batches",
    "Classes",
    "Data",
    "Example",
    "Held",
    "ImageInput",
    "Split",
    "hold",
    "open_data",
    "split_indices",
]

_TENSORS = {"Batches": "archdsl.data.batches", "Held": "archdsl.data.held", "hold": "archdsl.data.held"}


def __getattr__(name: str) -> Any:
    if name not in _TENSORS:
        raise AttributeError(f"module `archdsl.data` has no attribute `{name}`")
    return getattr(import_module(_TENSORS[name]), name)
