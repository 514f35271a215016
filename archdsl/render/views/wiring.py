"""A cell by its ops, and how they are joined: which maps are nodes, and which are handed on along an edge.

An op's call is one unit with all nodes in it; a node in no call is a unit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archdsl.ir import Graph, Node, scopes
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.render.model.labels import resolution
from archdsl.render.views.scopes import Scope
from archdsl.space import Apply, Asked, FrameKind, Keep, QuestionKind, Select

_NAMED = re.compile(r"= [A-Za-z_]")
"""An argument that is a name."""


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
        groups.setdefault(_call(graph, path, scope.depth), []).append(path)
    found = (_unit(graph, scope, name, nodes) for name, nodes in groups.items())
    return {unit.output: unit for unit in found}


def _call(graph: Graph, path: str, depth: int) -> str:
    """The path of the outermost call that a node stands in, below the scope; else its own path."""
    inside = graph.scopes.around[path][depth:]
    return next((scope.path for scope in inside if scope.kind is not FrameKind.LINE), path)


def _unit(graph: Graph, scope: Scope, name: str, nodes: list[str]) -> Unit:
    inside = set(nodes)
    inputs = dict.fromkeys(source for path in nodes for source in graph.inputs(path) if source not in inside)
    outputs = [path for path in nodes if not (read := graph.readers(path)) or any(each not in inside for each in read)]
    output = outputs[-1] if outputs else nodes[-1]
    op = _primitive(graph.node(output)) if name == nodes[0] else _definition(graph.scopes[name])
    return Unit(name, op, _line(graph, scope, inside, output), tuple(nodes), tuple(inputs), output)


def _primitive(node: Node) -> str:
    return node.payload.primitive if isinstance(node.payload, Apply) else ""


def _definition(call: scopes.Scope) -> str:
    frame = call.frames[-1]
    spelled = frame.name[: frame.name.rfind(")") + 1]  # a candidate with arguments: `sep_conv3x3(d = 4)`
    return spelled or frame.definition or frame.name


def _line(graph: Graph, scope: Scope, inside: set[str], output: str) -> str:
    """The line that a unit ends: nobody in the same line reads its map."""
    mine = _line_of(graph, output, scope.depth)
    if not mine:
        return ""
    followers = (reader for reader in graph.readers(output) if reader not in inside)
    same = any(_line_of(graph, reader, scope.depth) == mine and reader in scope.nodes for reader in followers)
    return "" if same else mine


def _line_of(graph: Graph, path: str, depth: int) -> str:
    inside = graph.scopes.around[path][depth:]
    return inside[0].name if inside and inside[0].kind is FrameKind.LINE else ""


def readers_within(found: Mapping[str, Unit]) -> dict[str, list[Unit]]:
    """Who reads each map inside of a scope."""
    readers: dict[str, list[Unit]] = {}
    for unit in found.values():
        for source in unit.inputs:
            readers.setdefault(source, []).append(unit)
    return readers


def spells_maps(unit: Unit) -> bool:
    """Whether a call names all maps that it reads beside the piped one: `merged(like = p4)`."""
    return not unit.single and len(_NAMED.findall(unit.op)) >= len(unit.inputs) - 1


def join_sign(op: str) -> str | None:
    """The sign as which a primitive that joins maps is drawn; None for every other op."""
    primitive = PRIMITIVES.get(op)
    join = None if primitive is None else primitive.traits.join
    return None if join is None else join.sign


@dataclass(frozen=True)
class Wiring:
    """One instance of a cell or op. Maps are named by the paths of their nodes."""

    graph: Graph
    scope: Scope

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        return units(self.graph, self.scope)

    @cached_property
    def inside(self) -> frozenset[str]:
        """All nodes, those among them that only hand maps on."""
        return frozenset(self.graph.scopes[self.scope.path].nodes)

    @cached_property
    def readers(self) -> Mapping[str, list[Unit]]:
        return readers_within(self.units)

    @cached_property
    def image(self) -> Shape:
        return self.graph.node(self.graph.images[0]).shape

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        sources = (source for unit in self.units.values() for source in unit.inputs)
        return tuple(dict.fromkeys(source for source in sources if source not in self.units))

    @cached_property
    def candidates(self) -> Mapping[str, str]:
        """The maps that are but candidates of a choice between ops on one map, and that choice."""
        return {
            source: unit.output
            for unit in self.units.values()
            if self.common(unit) is not None
            for source in unit.inputs
            if source in self.units and source != self.common(unit)
        }

    def shape(self, path: str) -> str:
        shape = self.graph.node(path).shape
        return f"{_channels(shape)} @ {resolution(shape, self.image)}"

    def is_output(self, unit: Unit) -> bool:
        """Whether others read its map; one without a name that is read in here too is only looked up by a branch."""
        readers = self.graph.readers(unit.output)
        outside = not readers or not all(reader in self.inside for reader in readers)
        return outside and (bool(unit.line) or unit.output not in self.readers)

    def boxed(self, unit: Unit) -> bool:
        """Whether an op is a box of its own, for several maps enter it."""
        return bool(unit.op) and len(unit.inputs) > 1 and not self.beside(unit) and join_sign(unit.op) is None

    def beside(self, unit: Unit) -> tuple[str, ...]:
        """The maps whose size alone is read (`resize(like = x)`)."""
        payload = self.graph.node(unit.output).payload
        if unit.single and isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.like:
            return unit.inputs[1:]
        return ()

    @cached_property
    def handed_on(self) -> frozenset[str]:
        """The maps without a name that one other op reads: no nodes where the node before or behind has their shape."""
        roots: dict[str, str] = {}
        for unit in self.units.values():
            source = self.source_of(unit)
            readers = self.readers_of(unit.output)
            if source is None or unit.line or len(readers) != 1 or self.is_output(unit):
                continue
            beside = all(self.named(path) for path in self.beside(unit))
            root = roots.get(source, source)
            if beside and unit.output not in self.beside(readers[0]) and self.goes_on(root, unit, readers[0]):
                roots[unit.output] = root
        return frozenset(roots)

    def readers_of(self, path: str) -> list[Unit]:
        """Who reads a map; the candidates of one choice count as that choice."""
        found = (self.candidates.get(unit.output, unit.output) for unit in self.readers.get(path, []))
        return [self.units[each] for each in dict.fromkeys(found)]

    def source_of(self, unit: Unit) -> str | None:
        """The one map that a unit works on; None for what joins maps or picks one of several."""
        if (common := self.common(unit)) is not None:
            return common
        if self.boxed(unit) or (unit.single and join_sign(unit.op) is not None):
            return None
        if isinstance(self.graph.node(unit.output).payload, Select | Keep) and unit.single:
            return None
        main = [source for source in unit.inputs if source not in self.beside(unit)]
        return main[0] if len(main) == 1 else None

    def goes_on(self, root: str, unit: Unit, reader: Unit) -> bool:
        if unit.output in self.candidates or self.source_of(reader) is None:
            return unit.output not in self.candidates
        return self.shape(unit.output) in (self.shape(reader.output), self.shape(root))

    def named(self, path: str) -> str:
        return self.units[path].line if path in self.units else ""

    def read_at(self, unit: Unit) -> tuple[str, ...]:
        """The maps that are read, a sum's as often as it adds them."""
        if (source := self.source_of(unit)) is not None:
            return (source,)
        picks = isinstance(self.graph.node(unit.output).payload, Select | Keep)
        joins = unit.single and (picks or join_sign(unit.op) is not None)
        return self.graph.inputs(unit.output) if joins else unit.inputs

    def picks(self, unit: Unit) -> bool:
        return unit.single and isinstance(self.graph.node(unit.output).payload, Select | Keep)

    def common(self, unit: Unit) -> str | None:
        """The one map on which a choice between ops is made; None for everything else."""
        payload = self.graph.node(unit.output).payload
        if not isinstance(payload, Select) or not unit.single or len(payload.labels) < 2:
            return None
        if isinstance(payload.subject, Asked):
            asked = self.graph.questions.get(payload.subject.question)
            if asked is not None and asked.kind is QuestionKind.SOURCE:
                return None
        sources = [self.read_by(source, unit) for source in self.graph.inputs(unit.output)]
        first = next((source for source in sources if source is not None), None)
        same = all(source == first for source in sources)
        return first if first is not None and same and first != unit.output else None

    def read_by(self, source: str, choice: Unit) -> str | None:
        """The map that a candidate works on: the candidate's own where it is no op of this choice alone."""
        unit = self.units.get(source)
        if unit is None or [each.output for each in self.readers[source]] != [choice.output]:
            return source
        return unit.inputs[0] if len(unit.inputs) == 1 or spells_maps(unit) else None


def _channels(shape: Shape) -> str:
    """A number, what it is made of, or `?` where other answers decide it."""
    spelled = short_name(str(shape.channels))
    return "?" if "(" in spelled else spelled


def short_name(name: str) -> str:
    """Questions by their last step: `16 * width` of `16 * trunk[12][16].width`."""
    return re.sub(r"[\w@+]+(?:\[\d+\])*\.(?:[\w@]+(?:\[\d+\])*\.)*(?=[A-Za-z_])", "", name)
