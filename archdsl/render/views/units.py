"""A cell as its ops: what stands in an op's call is one unit, and what stands in no call is one by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.ir import Graph, Node
from archdsl.render.views.scopes import Scope
from archdsl.space import Apply, FrameKind
from archdsl.space.node_path import below, spell


@dataclass(frozen=True, slots=True)
class Unit:
    name: str
    op: str
    """The op or cell, or the primitive; empty for a select."""
    line: str
    """The name that the text gives to what it writes; empty in the middle of a pipe."""
    nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    """The maps that it reads from outside of itself, each once; the piped one first."""
    output: str

    @property
    def single(self) -> bool:
        """Whether it is one primitive and no call."""
        return len(self.nodes) == 1 and self.name == self.nodes[0]


def units(graph: Graph, scope: Scope) -> dict[str, Unit]:
    """The units of a scope by the map that each writes, in the order of the graph."""
    groups: dict[str, list[str]] = {}
    for path in scope.nodes:
        groups.setdefault(_call(graph.node(path), scope.depth), []).append(path)
    found = (_unit(graph, scope, name, nodes) for name, nodes in groups.items())
    return {unit.output: unit for unit in found}


def _call(node: Node, depth: int) -> str:
    """The path of the outermost call that a node stands in, below the scope; else its own path."""
    for position, frame in enumerate(node.frames[depth:], depth):
        if frame.kind is not FrameKind.LINE:
            return spell(node.frames[: position + 1])
    return node.path


def _unit(graph: Graph, scope: Scope, name: str, nodes: list[str]) -> Unit:
    inside = set(nodes)
    inputs = dict.fromkeys(source for path in nodes for source in graph.inputs(path) if source not in inside)
    outputs = [path for path in nodes if not (read := graph.readers(path)) or any(each not in inside for each in read)]
    output = outputs[-1] if outputs else nodes[-1]
    op = _primitive(graph.node(output)) if name == nodes[0] else _definition(graph.node(nodes[0]), name)
    return Unit(name, op, _line(graph, scope, inside, output), tuple(nodes), tuple(inputs), output)


def _primitive(node: Node) -> str:
    return node.payload.primitive if isinstance(node.payload, Apply) else ""


def _definition(node: Node, name: str) -> str:
    path = ""
    for frame in node.frames:
        path = below(path, frame)
        if path == name:
            spelled = frame.name[: frame.name.rfind(")") + 1]  # a candidate with arguments: `sep_conv3x3(d = 4)`
            return spelled or frame.definition or frame.name
    return ""


def _line(graph: Graph, scope: Scope, inside: set[str], output: str) -> str:
    """The line that a unit ends: nobody in the same line reads its map."""
    mine = _line_of(graph.node(output), scope.depth)
    if not mine:
        return ""
    followers = (reader for reader in graph.readers(output) if reader not in inside)
    same = any(_line_of(graph.node(reader), scope.depth) == mine and reader in scope.nodes for reader in followers)
    return "" if same else mine


def _line_of(node: Node, depth: int) -> str:
    frames = node.frames[depth:]
    return str(frames[0]) if frames and frames[0].kind is FrameKind.LINE else ""


def readers_within(found: Mapping[str, Unit]) -> dict[str, list[Unit]]:
    """Who reads each map inside of a scope."""
    readers: dict[str, list[Unit]] = {}
    for unit in found.values():
        for source in unit.inputs:
            readers.setdefault(source, []).append(unit)
    return readers
