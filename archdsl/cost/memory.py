"""The memory that maps take at inference, where nodes run in the order of the graph, which is that of every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from archdsl.ir import ClosedGraph, ClosedNode, for_inference
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Result

_NUMBER_BYTES: Final = 4
"""fp32."""
_INDEX_BYTES: Final = 8
"""What numbers a channel is a 64-bit integer in every runtime."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most that maps take at once, for one image, in bytes of fp32."""

    bytes: int
    node: str
    """The node that runs then: what it reads and writes, and what is read later, is there."""


def peak_memory(graph: ClosedGraph) -> Peak:
    """A map is there from when it is written to when it is last read; the image and the outputs are maps, too.

    A batch norm, an activation or a dropout writes where its map was, if nobody reads that map later: runtimes fold
    them, run them in place or leave them out. What a layer needs to work in is not counted.
    """
    graph = for_inference(graph)
    last = _last_readers(graph)
    there = {image: _bytes(graph.node(image)) for image in graph.images}
    peak = Peak(sum(there.values()), graph.images[0])
    for node, inputs in graph.nodes():
        if not isinstance(node.payload, Apply):
            continue
        done = [each for each in dict.fromkeys(inputs) if last[each] == node.path]
        if done and _in_place(node.payload):
            there.pop(done[0])
        there[node.path] = _bytes(node)
        peak = max(peak, Peak(sum(there.values()), node.path), key=lambda found: found.bytes)
        for each in done:
            there.pop(each, None)
    return peak


def _last_readers(graph: ClosedGraph) -> Mapping[str, str]:
    """An output of the network is read last by its result."""
    found: dict[str, str] = {}
    results: dict[str, str] = {}
    for node, inputs in graph.nodes():
        (results if isinstance(node.payload, Result) else found).update(dict.fromkeys(inputs, node.path))
    return found | results


def _in_place(payload: Apply) -> bool:
    traits = PRIMITIVES[payload.primitive].traits
    return traits.activation or traits.batch_norm or traits.random


def _bytes(node: ClosedNode) -> int:
    channels, height, width = node.shape
    assert isinstance(channels, int)
    index = isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].traits.index
    return channels * height * width * (_INDEX_BYTES if index else _NUMBER_BYTES)
