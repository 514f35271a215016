"""The last map of each cell: where runtimes are compared."""

from __future__ import annotations

from archdsl.backends.protocol import CellEnd
from archdsl.ir import ClosedGraph, Node, module_path
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Frame, FrameKind
from archdsl.space.node_path import spell


def cell_ends(graph: ClosedGraph) -> tuple[CellEnd, ...]:
    """In the order in which they are computed."""
    ends: dict[str, CellEnd] = {}
    for node, inputs in graph.nodes():
        if not isinstance(node.payload, Apply):
            continue
        frames = _cell(node)
        inside = [graph.node(reader).frames[: len(frames)] == frames for reader in graph.readers(node.path)]
        if frames and inside and all(inside):
            continue
        name = spell(frames) or node.local
        folded = inputs[0] if PRIMITIVES[node.payload.primitive].traits.batch_norm else node.path
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
