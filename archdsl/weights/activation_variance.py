"""The expected mean square of activations where each layer with weights writes 1 (He 2015, section 2.2)."""

from __future__ import annotations

from archdsl.ir import ClosedGraph
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply


def mean_squares(graph: ClosedGraph) -> dict[str, float]:
    """The expected mean square of each map of a closed graph, by path; 1 for images and layers with weights."""
    moments: dict[str, float] = {}
    for node, inputs in graph.nodes():
        read = [moments[source] for source in inputs]
        if isinstance(node.payload, Apply):
            rule = PRIMITIVES[node.payload.primitive].mean_square
            moments[node.path] = rule(read, graph.input_shapes(node.path), node.payload.attribute)
        else:
            moments[node.path] = read[0] if read else 1.0
    return moments
