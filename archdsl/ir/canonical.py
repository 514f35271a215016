"""A graph as canonical text, and its hash: what two texts of one network have in common."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import assert_never

from archdsl.ir.graph import Graph
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Image,
    Keep,
    Measured,
    OfBranch,
    Payload,
    Result,
    Searching,
    Select,
    Unread,
)


def canonical_order(graph: Graph) -> tuple[str, ...]:
    """The nodes in a topological order that depends on the network alone and not on the order of a text's lines.

    Depth first from the outputs, inputs in their order; what no output needs is left out.
    """
    order: dict[str, None] = {}
    waiting: list[tuple[str, bool]] = [(path, False) for path in reversed((*graph.images, *graph.results))]
    while waiting:
        path, ready = waiting.pop()
        if path in order:
            continue
        if ready:
            order[path] = None
            continue
        waiting.append((path, True))
        waiting.extend((source, False) for source in reversed(graph.inputs(path)) if source not in order)
    return tuple(order)


def canonical_text(graph: Graph) -> str:
    """One line a node: number, payload, inputs by number, shape, path.

    Inputs of sums and products stand in rising order.
    """
    number = {path: index for index, path in enumerate(canonical_order(graph))}
    first: dict[str, int] = {}
    lines: list[str] = []
    for path, index in number.items():
        node = graph.node(path)
        sources = [number[source] for source in graph.inputs(path)]
        if _commutes(node.payload):
            sources.sort()
        reads = f"({', '.join(f'%{source}' for source in sources)})" if sources else ""
        owner = index if node.weights is None else first.setdefault(node.weights.spelled, index)
        shared = f" with the weights of %{owner}" if owner != index else ""
        lines.append(f"%{index} = {spell_payload(node.payload)}{reads}{shared} : {node.shape}  # {path}")
    return "\n".join(lines) + "\n"


def canonical_hash(graph: Graph) -> str:
    """`sha256:…` of the computation alone: equal for networks that differ in names and the order of lines."""
    digests = _computed_from(graph, {})
    if graph.sharing:
        digests = _computed_from(graph, _sharing(graph, digests))
    return "sha256:" + sha256("".join(digests[path] for path in graph.results).encode()).hexdigest()


def _sharing(graph: Graph, known: Mapping[str, str]) -> dict[str, str]:
    """The digests of nodes that share weights, with those of all that share them."""
    digests: dict[str, str] = {}
    for nodes in graph.sharing.values():
        together = ",".join(sorted(known[path] for path in nodes))
        digests |= {path: sha256(f"{known[path]}@{together}".encode()).hexdigest() for path in nodes}
    return digests


def _computed_from(graph: Graph, known: Mapping[str, str]) -> dict[str, str]:
    """For each node a digest of what it computes and of the digests of its inputs; `known` tells some apart further."""
    digests: dict[str, str] = {}
    for node, inputs in graph.nodes():
        sources = [digests[source] for source in inputs]
        if _commutes(node.payload):
            sources.sort()
        text = f"{known.get(node.path, '')}{spell_payload(node.payload)}({','.join(sources)}):{node.shape}"
        digests[node.path] = sha256(text.encode()).hexdigest()
    return digests


def _commutes(payload: Payload) -> bool:
    return isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.commutative


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
                    what = str(question)
                case Searching():
                    what = "searching"
                case Measured(count):
                    what = str(count)
                case Unread(readings):
                    what = f"unread by {', '.join(f'{path}: {label}' for path, label in readings)}"
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
