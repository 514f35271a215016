"""The last map of each cell, where runtimes are compared, and what a runtime showed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import Graph, module_path
from archdsl.space import Apply

Maps: TypeAlias = "Mapping[str, NDArray[np.generic]]"


@dataclass(frozen=True, slots=True)
class CellEnd:
    """The last map that leaves a node's outermost frame: a cell, or a line or an op of the network itself."""

    cell: str
    path: str
    folded: str
    """The path of the layer that has this map once batch norms are folded into the layers before them."""
    module: str
    """The torch module whose last output it is; empty where a primitive stands in the network itself."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a runtime computed: outputs by their names, and the last maps of cells by the paths of their nodes."""

    outputs: Maps
    cells: Maps


def cell_ends(graph: Graph) -> tuple[CellEnd, ...]:
    """In the order in which they are computed."""
    ends: dict[str, CellEnd] = {}
    for node, inputs in graph.nodes():
        frame = node.frames[0] if node.frames else None
        leaves = any(graph.node(reader).frames[:1] != node.frames[:1] for reader in graph.readers(node.path))
        if not isinstance(node.payload, Apply) or not (leaves or frame is None):
            continue
        name = frame.name if frame else node.local
        modules = module_path(node)
        folded = inputs[0] if node.payload.primitive == "bn" else node.path
        ends.pop(name, None)
        ends[name] = CellEnd(name, node.path, folded, modules[0] if len(modules) > 1 else "")
    return tuple(ends.values())
