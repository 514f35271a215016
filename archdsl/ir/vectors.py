"""Outputs that are vectors: one number a channel for a whole image, whatever its size."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

from archdsl.ir.graph import ClosedGraph
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Image, Payload, Program, Result

_Node: TypeAlias = "tuple[Hashable, Payload, Sequence[Hashable]]"
"""A node's key, what it is, and the keys of its inputs."""


def vector_outputs(graph: ClosedGraph) -> frozenset[str]:
    """The names of outputs that a classifier of whole images has: every target gives them as N x classes.

    They come from a pool over the whole map or from a fully connected layer. A map that is 1x1 because its image is
    small is a map.
    """
    return _names((node.path, node.payload, inputs) for node, inputs in graph.nodes())


def vector_outputs_of_space(program: Program) -> frozenset[str]:
    """The names of outputs that are vectors in every network of a space."""
    return _names((index, node.payload, node.inputs) for index, node in enumerate(program.nodes))


def output_shape(graph: ClosedGraph, path: str) -> tuple[int, ...]:
    """Of an output by its path, for one image: its channels, and height and width where it is a map."""
    node = graph.node(path)
    assert isinstance(node.payload, Result)
    assert isinstance(node.shape.channels, int)
    if node.payload.name in vector_outputs(graph):
        return (node.shape.channels,)
    return node.shape.channels, node.shape.height, node.shape.width


def _names(nodes: Iterable[_Node]) -> frozenset[str]:
    vectors: set[Hashable] = set()
    found: set[str] = set()
    for key, payload, inputs in nodes:
        if not _is_vector(payload, [source in vectors for source in inputs]):
            continue
        vectors.add(key)
        if isinstance(payload, Result):
            found.add(payload.name)
    return frozenset(found)


def _is_vector(payload: Payload, inputs: Sequence[bool]) -> bool:
    """`inputs` says of each whether it is one."""
    match payload:
        case Image():
            return False
        case Apply(primitive) if PRIMITIVES[primitive].traits.vector:
            return True
        case Apply(primitive) if PRIMITIVES[primitive].traits.resamples:
            return len(inputs) > 1 and inputs[1]
        case _:
            return bool(inputs) and all(inputs)
