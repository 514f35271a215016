"""The last map of each cell: where runtimes are compared."""

from __future__ import annotations

from archdsl.backends.protocol import CellEnd
from archdsl.ir import ClosedGraph, ClosedNode, Scope, module_path
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, FrameKind


def cell_ends(graph: ClosedGraph) -> tuple[CellEnd, ...]:
    """In the order in which they are computed."""
    ends: dict[str, CellEnd] = {}
    for node, inputs in graph.nodes():
        if not isinstance(node.payload, Apply):
            continue
        scope, readers = _cell(graph, node.path), graph.readers(node.path)
        if scope and readers and all(scope in graph.scopes.around[reader] for reader in readers):
            continue
        name = scope.path if scope else node.local
        folded = inputs[0] if PRIMITIVES[node.payload.primitive].traits.batch_norm else node.path
        ends.pop(name, None)
        ends[name] = CellEnd(name, node.path, folded, _module(node, scope))
    return tuple(ends.values())


def _cell(graph: ClosedGraph, path: str) -> Scope | None:
    """The innermost cell around a node; where there is none, its outermost line or op."""
    around = graph.scopes.around[path]
    return graph.scopes.innermost(path, FrameKind.CELL) or (around[0] if around else None)


def _module(node: ClosedNode, scope: Scope | None) -> str:
    frames = scope.frames if scope else ()
    modules = sum(frame.kind is not FrameKind.LINE for frame in frames) or 1
    if node.weights is not None:
        return ""  # its module computes other places too
    names = module_path(node)
    return ".".join(names[:modules]) if len(names) > modules else ""
