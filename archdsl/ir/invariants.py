"""What is true of every graph, checked before and after each pass."""

from __future__ import annotations

from archdsl.ir.graph import Graph
from archdsl.ir.names import module_path
from archdsl.ops import Shape, ShapeError
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Absent, Apply, Image, Keep, OfBranch, Result, Select


class BrokenGraph(Exception):
    """A graph that no pass may hand on: a bug of ours, never of a text."""


def verify(graph: Graph) -> Graph:
    """The graph itself. Raises BrokenGraph where something is not true that always has to be."""
    seen: set[str] = set()
    modules: dict[tuple[str, ...], str] = {}
    for node, inputs in graph.nodes():
        path = node.path
        if path in seen:
            raise BrokenGraph(f"two nodes have the path `{path}`")
        if late := [source for source in inputs if source not in seen]:
            raise BrokenGraph(f"`{path}` reads `{late[0]}`, which does not stand before it")
        seen.add(path)
        other = modules.setdefault(module_path(node), path)
        if other != path:
            raise BrokenGraph(f"`{path}` and `{other}` would be one module `{'.'.join(module_path(node))}`")
        _verify_payload(graph, path)
    if not graph.results:
        raise BrokenGraph(f"`{graph.name}` has no output")
    return graph


def _verify_payload(graph: Graph, path: str) -> None:
    node, shapes = graph.node(path), graph.input_shapes(path)
    match node.payload:
        case Image() | Absent():
            expected = 0
        case Apply(name):
            primitive = PRIMITIVES[name]
            if len(shapes) < primitive.least or (primitive.most is not None and len(shapes) > primitive.most):
                raise BrokenGraph(f"`{path}` gives {len(shapes)} maps to `{name}`")
            _verify_shape(path, node.shape, node.payload, shapes)
            return
        case Select(_, labels) | Keep(_, labels):
            expected = len(labels)
        case OfBranch() | Result():
            expected = 1
    if len(shapes) != expected:
        raise BrokenGraph(f"`{path}` has {len(shapes)} inputs instead of {expected}")


def _verify_shape(path: str, shape: Shape, payload: Apply, shapes: tuple[Shape, ...]) -> None:
    try:
        expected = PRIMITIVES[payload.primitive].shape(shapes, payload.attribute)
    except ShapeError as error:
        raise BrokenGraph(f"`{path}`: {error.reason}") from error
    if expected != shape:
        raise BrokenGraph(f"`{path}` is {shape} and its rule says {expected}")
