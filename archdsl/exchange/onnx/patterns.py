"""Several nodes of an ONNX model that are one operator, as exporters write those that older opsets lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isclose, sqrt
from typing import Any

from numpy.typing import NDArray
from onnx import NodeProto, helper

Constants = Mapping[str, NDArray[Any]]


def with_gelu(nodes: Sequence[NodeProto], constants: Constants) -> list[NodeProto]:
    """x * (1 + erf(x / sqrt(2))) / 2, in whatever order it is multiplied, as `Gelu`."""
    found = dict(_gelus(nodes, constants))
    gone = {name for names, _ in found.values() for name in names}
    kept: list[NodeProto] = []
    for node in nodes:
        if node.output[0] in found:
            kept.append(found[node.output[0]][1])
        elif node.output[0] not in gone:
            kept.append(node)
    return kept


def _gelus(nodes: Sequence[NodeProto], constants: Constants) -> Iterator[tuple[str, tuple[set[str], NodeProto]]]:
    """Each by the value that its last node writes: the values in between, and the node that stands for all."""
    writers = {name: node for node in nodes for name in node.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def number(name: str) -> float | None:
        array = constants.get(name)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None

    def other(node: NodeProto, name: str) -> str:
        first, second = node.input
        return second if first == name else first

    def only(name: str, operator: str) -> NodeProto | None:
        reading = readers.get(name, [])
        return reading[0] if len(reading) == 1 and reading[0].op_type == operator else None

    for erf in (node for node in nodes if node.op_type == "Erf"):
        before = writers.get(erf.input[0])
        if before is None or before.op_type not in ("Div", "Mul"):
            continue
        divisor = number(before.input[1])
        wanted = sqrt(2) if before.op_type == "Div" else sqrt(0.5)
        plus = only(erf.output[0], "Add")
        if divisor is None or not isclose(divisor, wanted, rel_tol=1e-5) or plus is None:
            continue
        x = before.input[0]
        times = only(plus.output[0], "Mul")
        if number(other(plus, erf.output[0])) != 1 or times is None:
            continue
        between = {before.output[0], erf.output[0], plus.output[0]}
        factor = other(times, plus.output[0])
        half = writers.get(factor)
        last: NodeProto | None = None
        if half is not None and half.op_type == "Mul" and x in half.input and number(other(half, x)) == 0.5:
            last, between = times, {*between, factor}
        elif factor == x or number(factor) == 0.5:
            last, between = only(times.output[0], "Mul"), {*between, times.output[0]}
            rest = None if last is None else other(last, times.output[0])
            if rest is None or not (number(rest) == 0.5 if factor == x else rest == x):
                continue
        if last is not None:
            yield last.output[0], (between, helper.make_node("Gelu", [x], [last.output[0]], name=last.name))
