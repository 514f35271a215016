"""How large the numbers of a map are, if each layer with weights writes numbers of size 1."""

from __future__ import annotations

from math import prod

from archdsl.ir import Graph
from archdsl.space import Apply
from archdsl.weights.specification import closed_count

_HALF_NORMAL = 0.5
"""Mean square of max(x, 0) for a standard normal x; that of hswish is close to it (0.4)."""
_GATE = 0.3
"""Mean square of a sigmoid of a standard normal."""

_FACTORS = {"relu": _HALF_NORMAL, "relu6": _HALF_NORMAL, "hswish": 0.4}
_GATES = frozenset({"sigmoid", "hsigmoid"})
_UNIT = frozenset({"conv", "dwconv", "linear", "bn"})


def mean_squares(graph: Graph) -> dict[str, float]:
    """The expected mean square of each map of a closed graph, by path; 1 for images and layers with weights."""
    moments: dict[str, float] = {}
    for node, inputs in graph.nodes():
        read = [moments[source] for source in inputs]
        channels = [closed_count(shape.channels, node.path) for shape in graph.input_shapes(node.path)]
        moments[node.path] = _moment(node.payload, read, channels) if read else 1.0
    return moments


def _moment(payload: object, read: list[float], channels: list[int]) -> float:
    if not isinstance(payload, Apply):
        return read[0]
    match payload.primitive:
        case name if name in _UNIT:
            return 1.0
        case name if name in _FACTORS:
            return read[0] * _FACTORS[name]
        case name if name in _GATES:
            return _GATE
        case "softmax":
            return 1 / channels[0] ** 2
        case "add":
            return sum(read)
        case "multiply":
            return prod(read)
        case "concat":
            return _sum_of_products(read, channels) / sum(channels)
        case _:
            return read[0]


def _sum_of_products(left: list[float], right: list[int]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
