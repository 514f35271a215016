"""A graph as canonical text, and its hash: what two texts of one network have in common."""

from __future__ import annotations

from hashlib import sha256
from typing import assert_never

from archdsl.ir.graph import Graph
from archdsl.ops.bind import show
from archdsl.space import Absent, Apply, Asked, Image, Keep, Measured, OfBranch, Payload, Result, Searching, Select

_COMMUTATIVE = ("add", "multiply")


def canonical_text(graph: Graph) -> str:
    """One line a node: number, payload, inputs by number, shape, path.

    The order is the graph's; inputs of sums and products stand in rising order.
    """
    number = {path: index for index, path in enumerate(graph)}
    lines: list[str] = []
    for node, inputs in graph.nodes():
        sources = [number[source] for source in inputs]
        if isinstance(node.payload, Apply) and node.payload.primitive in _COMMUTATIVE:
            sources.sort()
        reads = f"({', '.join(f'%{source}' for source in sources)})" if sources else ""
        lines.append(f"%{number[node.path]} = {spell_payload(node.payload)}{reads} : {node.shape}  # {node.path}")
    return "\n".join(lines) + "\n"


def canonical_hash(graph: Graph) -> str:
    """`sha256:…` of the computation alone: equal for networks that differ in names and the order of lines."""
    digests: dict[str, str] = {}
    for node, inputs in graph.nodes():
        sources = [digests[source] for source in inputs]
        if isinstance(node.payload, Apply) and node.payload.primitive in _COMMUTATIVE:
            sources.sort()
        text = f"{spell_payload(node.payload)}({','.join(sources)}):{node.shape}"
        digests[node.path] = sha256(text.encode()).hexdigest()
    return "sha256:" + sha256("".join(digests[path] for path in graph.results).encode()).hexdigest()


def spell_payload(payload: Payload) -> str:
    """`conv[c = 32, k = 3x3]`, `select[trunk[5][8].operator: skip, conv3x3]`."""
    match payload:
        case Image(name):
            return f"image[{name}]"
        case Apply(primitive, attributes):
            inner = ", ".join(f"{name} = {show(value)}" for name, value in attributes if value is not None)
            return f"{primitive}[{inner}]" if inner else primitive
        case Select(subject, labels):
            match subject:
                case Asked(question):
                    what = question
                case Searching():
                    what = "searching"
                case Measured(count):
                    what = str(count)
                case _:
                    assert_never(subject)
            return f"select[{what}: {', '.join(map(str, labels))}]"
        case Keep(question, labels):
            return f"keep[{question}: {', '.join(labels)}]"
        case OfBranch(branch):
            return f"branch[{branch}]"
        case Absent():
            return "absent"
        case Result(name, auxiliary):
            return f"aux[{name}]" if auxiliary else f"out[{name}]"
        case _:
            assert_never(payload)
