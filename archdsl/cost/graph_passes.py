"""What a runtime leaves out of a network before it runs it: constant folding and dead code elimination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archdsl.ir import ClosedGraph
from archdsl.space import Image
from archdsl.space.values import values_read


@dataclass(frozen=True, slots=True)
class GraphPasses:
    """The passes of a runtime that decide whether a row of a cost table is run. Neither is run for eager torch."""

    constants_folded: bool = False
    """What does not depend on an image is computed once, when the network is loaded."""
    dead_code_removed: bool = False
    """A map of which no value is needed is not computed: only zeros read it, or resizes that are like it."""


AS_WRITTEN: Final = GraphPasses()
"""All is run that an output depends on."""


def run_nodes(graph: ClosedGraph, passes: GraphPasses) -> frozenset[str]:
    """The nodes of a closed graph that are run for each image."""
    found = _live(graph) if passes.dead_code_removed else frozenset(graph)
    return found & depending_on_images(graph) if passes.constants_folded else found


def depending_on_images(graph: ClosedGraph) -> frozenset[str]:
    """The nodes whose maps differ from image to image."""
    found: set[str] = set()
    for node, inputs in graph.nodes():
        if isinstance(node.payload, Image) or not found.isdisjoint(values_read(node.payload, inputs)):
            found.add(node.path)
    return frozenset(found)


def _live(graph: ClosedGraph) -> frozenset[str]:
    """From the results back, to what values are needed of."""
    found: set[str] = set()
    waiting = list(graph.results)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(values_read(graph.node(path).payload, graph.inputs(path)))
    return frozenset(found)
