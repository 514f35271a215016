"""Partial channels (PC-DARTS: Xu et al., ICLR 2020): mixed ops on a share of the channels, the others pass them by.

A pass over the graph of a supernet. Of each kernel inside of a mixed op the first 1/k of its channels is used, so
what is searched has the ops and names of the space and a k-th of their width.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from archdsl.ops import Shape, ShapeError
from archdsl.ops.joining import ADD, CONCAT
from archdsl.ops.model import COUNTS, Channels, Primitive, Value
from archdsl.ops.pointwise import SHUFFLE
from archdsl.ops.pooling import MAX_POOL
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.layout import Layout
from archdsl.relax.not_relaxable import NotRelaxable
from archdsl.relax.relaxed import Mix, Narrow, Partial, Relaxed, RelaxedGraph, Weigh
from archdsl.relax.scalars import Answered
from archdsl.space import Absent, Apply, Asked, Keep, Program, Question, QuestionKind, QuestionPath, Select


def with_partial_channels(graph: RelaxedGraph, partial: Partial) -> RelaxedGraph:
    """The graph with its mixed ops on a share of the channels, and with sums whose inputs are weighed.

    Raises NotRelaxable where an op reads more than one map or writes another number of channels than it reads, or
    where numbers of channels are not multiples of k.
    """
    weighed = _with_weighed_edges(graph, partial.edges) if partial.edges else graph
    return _Narrowing(weighed, partial.channels.denominator).run() if partial.channels != 1 else weighed


# Edges ------------------------------------------------------------------------------------------


def _with_weighed_edges(graph: RelaxedGraph, edges: Collection[QuestionPath]) -> RelaxedGraph:
    """Edge normalisation: a sum that keeps some inputs is a mix of all of them."""
    nodes: list[Relaxed] = []
    questions: dict[QuestionPath, Question] = dict(graph.questions)
    for node in graph.nodes:
        payload = graph.program.nodes[node.key.node].payload if node.key is not None else None
        if not isinstance(payload, Keep) or payload.question not in edges or node.payload != Apply(ADD.name):
            nodes.append(node)
            continue
        if len(node.inputs) != len(payload.labels):
            # Zeros are left out of sums, and which of the inputs they were is not known any more.
            raise _refused(graph, node, "weighs its inputs, of which one is always zero")
        questions[payload.question] = graph.program.questions[payload.question]
        weights = tuple(Answered(payload.question, label) for label in payload.labels)
        nodes.append(replace(node, payload=Mix(weights)))
    return replace(graph, nodes=tuple(nodes), questions=questions)


# Channels ---------------------------------------------------------------------------------------


class _MixedOp(NamedTuple):
    source: int
    """The map that it reads."""
    nodes: Sequence[int]
    """What lies between, and the mix."""


class _Narrowing:
    """Writes the nodes of a graph again, those of mixed ops narrow."""

    def __init__(self, graph: RelaxedGraph, k: int) -> None:
        self.graph = graph
        self.k = k
        self.nodes: list[Relaxed] = []
        self._known: dict[Relaxed, int] = {}
        self._moved: dict[int, int] = {}
        """What stands for each node of the graph."""

    def run(self) -> RelaxedGraph:
        ops = self._mixed_ops()
        for number in sorted(self._needed(ops)):
            node = self.graph.nodes[number]
            if number in ops:
                self._moved[number] = self._mixed(number, node, ops[number])
            else:
                inputs = tuple(self._moved[source] for source in node.inputs)
                self._moved[number] = self._add(replace(node, inputs=inputs))
        outputs = tuple(replace(each, node=self._moved[each.node]) for each in self.graph.outputs)
        return replace(self.graph, nodes=tuple(self.nodes), outputs=outputs)

    def _add(self, node: Relaxed) -> int:
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return found

    def _mixed_ops(self) -> Mapping[int, _MixedOp]:
        """The mixed ops that are not within another one, by the nodes of their mixes."""
        sources = _sources_of_mixed_ops(self.graph.program)
        found: dict[int, _MixedOp] = {}
        for number, node in enumerate(self.graph.nodes):
            if isinstance(node.payload, Mix) and node.key is not None and node.key.node in sources:
                source = self._source(node, sources[node.key.node])
                found[number] = _MixedOp(source, self._between(number, source))
        return found

    def _needed(self, ops: Mapping[int, _MixedOp]) -> set[int]:
        """The nodes that outputs read, those within mixed ops left out."""
        needed = {output.node for output in self.graph.outputs}
        for number in reversed(range(len(self.graph.nodes))):
            if number not in needed:
                continue
            if number not in ops:
                needed.update(self.graph.nodes[number].inputs)
                continue
            op = ops[number]
            inside = {*op.nodes, op.source}
            needed.add(op.source)
            needed.update(each for of in op.nodes for each in self.graph.nodes[of].inputs if each not in inside)
        return needed

    def _mixed(self, number: int, mix: Relaxed, op: _MixedOp) -> int:
        """The mix on some channels, the others beside it, and both shuffled, as in the published code."""
        x = self.graph.nodes[op.source]
        if x.layout.mixed or mix.layout.mixed or x.layout.size != mix.layout.size:
            raise _refused(
                self.graph,
                mix,
                f"reads {x.layout.size} channels and writes {mix.layout.size}: with partial channels it writes as many",
            )
        channels = self._share(mix, x.layout.size)
        layout = Layout.dense(x.layout.extent, channels, stable=False)
        shape = x.shape._replace(channels=channels)
        moved = self._moved[op.source]
        first = self._add(Relaxed(Narrow(0, channels), (moved,), shape, layout))
        mixed = self._narrow(number, op, first)
        others = x.layout.size - channels
        beside = Relaxed(
            Narrow(channels, x.layout.size),
            (moved,),
            x.shape._replace(channels=others),
            Layout.dense(others, others, stable=False),
        )
        joined = (mixed, self._pooled(mix, beside))
        concat = self._add(Relaxed(_applied(CONCAT.name), joined, mix.shape, mix.layout))
        return self._add(Relaxed(_applied(SHUFFLE.name, groups=self.k), (concat,), mix.shape, mix.layout, key=mix.key))

    def _pooled(self, mix: Relaxed, beside: Relaxed) -> int:
        """The channels that pass by, as small as what is mixed: by max pooling, as in the published code."""
        added = self._add(beside)
        if beside.shape[1:] == mix.shape[1:]:
            return added
        step = round(beside.shape.height / mix.shape.height)
        pool = _applied(MAX_POOL.name, k=(step, step), s=max(step, 1), ceil=True)
        try:
            shape = MAX_POOL.shape((beside.shape,), pool.attribute)
        except ShapeError:
            shape = beside.shape
        if shape[1:] != mix.shape[1:]:
            raise _refused(
                self.graph,
                mix,
                f"brings {beside.shape} to {mix.shape}, and the channels that pass it by are pooled by a factor",
            )
        return self._add(Relaxed(pool, (added,), shape, beside.layout))

    def _source(self, mix: Relaxed, read: int) -> int:
        """The map that an op reads: the node for a node of the program."""
        waiting, seen = list(mix.inputs), set(mix.inputs)
        while waiting:
            number = waiting.pop()
            node = self.graph.nodes[number]
            if node.key is not None and node.key.node == read:
                return number
            fresh = [each for each in node.inputs if each not in seen]
            seen.update(fresh)
            waiting += fresh
        raise _refused(self.graph, mix, "reads more than one map: with partial channels it reads one")

    def _narrow(self, number: int, op: _MixedOp, first: int) -> int:
        """The nodes of a mixed op with a share of their channels, of which `first` reads the first; gives the mix."""
        known = {op.source: first}
        for each in op.nodes:
            node = self.graph.nodes[each]
            inputs = tuple(known[of] if of in known else self._moved[of] for of in node.inputs)
            outside = [position for position, of in enumerate(node.inputs) if of not in known]
            known[each] = self._add(self._narrowed(node, inputs, outside))
        return known[number]

    def _between(self, number: int, source: int) -> Sequence[int]:
        """The nodes on ways from one node to another, in order, the first one left out."""
        reached = {source}
        above = {number}
        for each in range(number, source, -1):
            if each in above:
                above.update(self.graph.nodes[each].inputs)
        for each in range(source + 1, number + 1):
            if each in above and not reached.isdisjoint(self.graph.nodes[each].inputs):
                reached.add(each)
        return sorted(reached - {source})

    def _narrowed(self, node: Relaxed, inputs: tuple[int, ...], outside: Sequence[int]) -> Relaxed:
        size = self._share(node, node.layout.size)
        layout = Layout.dense(node.layout.extent, size, stable=False)
        shape = node.shape._replace(channels=size)
        match node.payload:
            case Mix() | Weigh() if not outside:
                return replace(node, inputs=inputs, shape=shape, layout=layout)
            case Apply() as payload if not outside or (outside == [1] and PRIMITIVES[payload.primitive].traits.like):
                applied = self._applied_narrow(node, payload, inputs, size)
                reads = None if node.reads is None else self.nodes[inputs[0]].layout
                return replace(node, payload=applied, inputs=inputs, shape=shape, layout=layout, reads=reads)
            case _:
                raise _refused(self.graph, node, "cannot run on some channels of the map that its op reads")

    def _applied_narrow(self, node: Relaxed, payload: Apply, inputs: Sequence[int], size: int) -> Apply:
        """A primitive that writes a share of the channels."""
        primitive = PRIMITIVES[payload.primitive]
        wide = self.graph.nodes[node.inputs[0]].layout.size
        changed: dict[str, Value] = {}
        for parameter in primitive.parameters:
            value = payload.attribute[parameter.name]
            if parameter.kind not in COUNTS or not isinstance(value, int):
                continue
            if parameter.name == "groups":
                changed["groups"] = self._share(node, value) if value == wide else value
            elif primitive.traits.channels is Channels.OWN:
                changed[parameter.name] = self._share(node, value)
        found = Apply(payload.primitive, tuple((name, changed.get(name, old)) for name, old in payload.attributes))
        shapes = [
            Shape(self.nodes[each].layout.size, self.nodes[each].shape.height, self.nodes[each].shape.width)
            for each in inputs
        ]
        if self._writes(node, primitive, found, shapes) != size:
            raise _refused(self.graph, node, f"does not write a share of {self.k} of its channels")
        return found

    def _writes(self, node: Relaxed, primitive: Primitive, applied: Apply, shapes: Sequence[Shape]) -> object:
        try:
            return primitive.shape(shapes, applied.attribute).channels
        except ShapeError as error:
            raise _refused(self.graph, node, f"{error.reason} on 1 / {self.k} of the channels") from None

    def _share(self, node: Relaxed, channels: int) -> int:
        share, rest = divmod(channels, self.k)
        if rest:
            raise _refused(self.graph, node, f"has {channels} channels, of which 1 / {self.k} is no whole number")
        return share


def _refused(graph: RelaxedGraph, node: Relaxed, reason: str) -> NotRelaxable:
    found = graph.program.nodes[node.key.node if node.key is not None else graph.program.results[0]]
    return NotRelaxable(found.path, found.span, reason, "take `partial` out of `relax`, or change what the op reads")


def _applied(primitive: str, **given: Value) -> Apply:
    """A primitive with these parameters, and its defaults."""
    parameters = PRIMITIVES[primitive].parameters
    return Apply(primitive, tuple((each.name, given.get(each.name, each.default)) for each in parameters))


# Dominators -------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _sources_of_mixed_ops(program: Program) -> Mapping[int, int]:
    """For each select of an op that no op holds, the node that all its candidates read: its immediate dominator."""
    dominators = _immediate_dominators(program)
    found: dict[int, int] = {}
    inside: set[int] = set()
    for number, node in reversed(list(enumerate(program.nodes))):
        match node.payload:
            case Select(Asked(question)) if program.questions[question].kind is QuestionKind.OPERATOR:
                source = dominators[number]
            case _:
                continue
        if number in inside or source is None:
            continue
        found[number] = source
        inside |= _region(program, number, source)
    return found


def _region(program: Program, number: int, source: int) -> set[int]:
    """What lies between a node and its dominator."""
    found: set[int] = set()
    waiting = list(program.nodes[number].inputs)
    while waiting:
        each = waiting.pop()
        if each > source and each not in found:
            found.add(each)
            waiting += _read(program, each)
    return found


def _immediate_dominators(program: Program) -> Sequence[int | None]:
    """Of each node the last one that all ways from the image pass (Cooper, Harvey, Kennedy, 2001), if there is one."""
    found: list[int | None] = []
    for number in range(len(program.nodes)):
        sources = [each for each in _read(program, number) if not isinstance(program.nodes[each].payload, Absent)]
        common: int | None = sources[0] if sources else None
        for other in sources[1:]:
            left, right = common, other
            while left != right and left is not None:
                if left > right:
                    left = found[left]
                else:
                    up = found[right]
                    left, right = (None, right) if up is None else (left, up)
            common = left
        found.append(common)
    return found


def _read(program: Program, number: int) -> Sequence[int]:
    """The nodes whose values are read; of a map to resize to the size alone is."""
    node = program.nodes[number]
    if isinstance(node.payload, Apply) and PRIMITIVES[node.payload.primitive].traits.like:
        return node.inputs[:1]
    return node.inputs
