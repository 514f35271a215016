"""The last map of each cell, where runtimes are compared, and what a runtime showed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archdsl.ir import Graph, Node, module_path
from archdsl.space import Apply, Frame, FrameKind

Maps: TypeAlias = "Mapping[str, NDArray[np.generic]]"


@dataclass(frozen=True, slots=True)
class CellEnd:
    """The last map that leaves a cell, or what stands outside of cells: a line or an op of the network itself."""

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
        if not isinstance(node.payload, Apply):
            continue
        frames = _cell(node)
        inside = [graph.node(reader).frames[: len(frames)] == frames for reader in graph.readers(node.path)]
        if frames and inside and all(inside):
            continue
        name = ".".join(frame.name for frame in frames) or node.local
        folded = inputs[0] if node.payload.primitive == "bn" else node.path
        ends.pop(name, None)
        ends[name] = CellEnd(name, node.path, folded, _module(node, frames))
    return tuple(ends.values())


def _cell(node: Node) -> tuple[Frame, ...]:
    """The node's frames down to its innermost cell; where there is none, its outermost frame."""
    depths = [depth for depth, frame in enumerate(node.frames, 1) if frame.kind is FrameKind.CELL]
    return node.frames[: depths[-1]] if depths else node.frames[:1]


def _module(node: Node, frames: tuple[Frame, ...]) -> str:
    modules = sum(frame.kind is not FrameKind.LINE for frame in frames) or 1
    names = module_path(node)
    return ".".join(names[:modules]) if len(names) > modules else ""
