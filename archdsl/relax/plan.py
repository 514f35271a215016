"""How a relaxed graph is run: sums of rows of layers, each one step that keeps few maps and wastes no work.

A mixed op is many small layers on few maps. A step takes a sum with all that is read by it alone: sums within it, and
the rows of convolutions, batch norms and ReLUs that lead to each of its terms. Of a row the outputs of convolutions
are kept for the gradient, and what is cheap is computed again; where maps are small beside weights, all are kept.
Batch norms without weights of one map are one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from archdsl.ops.activations import RELU as RELU_PRIMITIVE
from archdsl.ops.convolution import CONV, DWCONV
from archdsl.ops.joining import ADD
from archdsl.ops.norms import BN
from archdsl.ops.pooling import AVG_POOL
from archdsl.ops.resampling import RESIZE
from archdsl.ops.windows import conv_window
from archdsl.relax.full import tensor_values
from archdsl.relax.relaxed import Mask, Mix, Relaxed, RelaxedGraph, Spread, Weigh
from archdsl.relax.scalars import Scalar
from archdsl.space import Apply, Image

CONVOLUTIONS: Final = frozenset({CONV.name, DWCONV.name})
NORM: Final = BN.name
RELU: Final = RELU_PRIMITIVE.name
_LINEAR: Final = frozenset({RESIZE.name, AVG_POOL.name})
_IN_ROWS: Final = CONVOLUTIONS | {NORM, RELU}


@dataclass(frozen=True, slots=True)
class Single:
    """A node by itself."""

    node: int


@dataclass(frozen=True, slots=True)
class Term:
    """A map of a sum: a source, and the layers in a row that lead from it."""

    weight: Scalar | None
    """None for 1."""
    source: int
    layers: tuple[int, ...]
    kept: tuple[int, ...]
    """Those of them whose outputs are kept for the gradient; the others are computed again from these."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A weighted sum of rows of layers as one function; one row by itself too."""

    node: int
    """Whose map it computes."""
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """Batch norms without weights of one map: in training one, whose statistics all of them take over."""

    nodes: tuple[int, ...]


Step: TypeAlias = "Single | Sum | Alike"


@dataclass(frozen=True)
class Plan:
    graph: RelaxedGraph
    steps: tuple[Step, ...]
    """In an order in which each reads what earlier ones computed."""
    channels_last: bool
    """Whether maps lie channel by channel in memory: faster where convolutions are depthwise."""
    keeps_maps: bool = False
    """Whether sums keep all maps of their rows, and compute none again."""
    recomputed: tuple[range, ...] = ()
    """Steps in a row whose maps are computed again for the gradient and not kept (`archdsl.relax.checkpoints`)."""


def planned(graph: RelaxedGraph, *, keeps_maps: bool | None = None) -> Plan:
    """The plan for a CPU. Whether maps are kept is decided by their size where `keeps_maps` is None."""
    graph = hoisted(graph)
    keeps = _has_small_maps(graph) if keeps_maps is None else keeps_maps
    steps = tuple(_Planner(graph, keeps_maps=keeps).steps())
    return Plan(graph, steps, channels_last=_mostly_depthwise(graph), keeps_maps=keeps)


def keeping(graph: RelaxedGraph) -> Plan:
    """Every map kept and none computed again, in few and large steps: for accelerators, and for compilers.

    Sums of weighed sums are one sum, what is linear is done after sums, and equal batch norms are one.
    """
    graph = flattened(hoisted(graph))
    return Plan(graph, tuple(_Planner(graph, keeps_maps=True).singles()), channels_last=False)


def unplanned(graph: RelaxedGraph) -> Plan:
    """Each node by itself."""
    steps = tuple(Single(number) for number, node in enumerate(graph.nodes) if not isinstance(node.payload, Image))
    return Plan(graph, steps, channels_last=False)


def main_part(graph: RelaxedGraph) -> RelaxedGraph:
    """What is read by outputs that are not auxiliary."""
    return _read(replace(graph, outputs=tuple(output for output in graph.outputs if not output.auxiliary)))


def _read(graph: RelaxedGraph) -> RelaxedGraph:
    """What an output reads."""
    read = {output.node for output in graph.outputs}
    for number in reversed(range(len(graph.nodes))):
        if number in read:
            read.update(graph.nodes[number].inputs)
    place = {number: position for position, number in enumerate(sorted(read))}
    nodes = tuple(
        replace(graph.nodes[number], inputs=tuple(place[source] for source in graph.nodes[number].inputs))
        for number in place
    )
    outputs = tuple(replace(output, node=place[output.node]) for output in graph.outputs)
    return replace(graph, nodes=nodes, outputs=outputs)


def hoisted(graph: RelaxedGraph) -> RelaxedGraph:
    """With what several terms of a sum end in alike, and is linear, done once, after their sum.

    Masks and places of channels, resizing, and average pooling: `p * f(x) + q * f(y)` is `f(p * x + q * y)`.
    """
    return _Hoister(graph).run()


def flattened(graph: RelaxedGraph) -> RelaxedGraph:
    """With a sum of weighed sums that nobody else reads as one weighed sum."""
    readers = _readers(graph)
    nodes = list(graph.nodes)
    for number, node in enumerate(graph.nodes):
        if not _is_sum(node, nodes) or isinstance(node.payload, Mix):
            continue
        inner = [nodes[source] for source in node.inputs]
        mixes = [each.payload.weights for each in inner if isinstance(each.payload, Mix) and each.payload.weights]
        if len(mixes) == len(inner) and all(readers[source] == 1 for source in node.inputs):
            weights = tuple(weight for mix in mixes for weight in mix)
            nodes[number] = replace(node, payload=Mix(weights), inputs=tuple(x for each in inner for x in each.inputs))
    return _read(replace(graph, nodes=tuple(nodes)))


class _Hoister:
    def __init__(self, graph: RelaxedGraph) -> None:
        self.graph = graph
        self.readers = _readers(graph)
        self.made: list[Relaxed] = []
        self.single: list[bool] = []
        """Whether a node that was made has one reader."""

    def run(self) -> RelaxedGraph:
        place: list[int] = []
        for number, node in enumerate(self.graph.nodes):
            inputs = tuple(place[source] for source in node.inputs)
            moved = replace(node, inputs=inputs)
            once = self.readers[number] == 1
            if _is_sum(node, self.graph.nodes):
                weights = node.payload.weights if isinstance(node.payload, Mix) else (None,) * len(inputs)
                place.append(self._sum(moved, list(zip(weights, inputs, strict=True)), once=once))
            else:
                place.append(self._add(moved, once=once))
        outputs = tuple(replace(output, node=place[output.node]) for output in self.graph.outputs)
        return _read(replace(self.graph, nodes=tuple(self.made), outputs=outputs))

    def _add(self, node: Relaxed, *, once: bool) -> int:
        self.made.append(node)
        self.single.append(once)
        return len(self.made) - 1

    def _sum(self, node: Relaxed, terms: list[tuple[Scalar | None, int]], *, once: bool) -> int:
        groups: dict[object, list[tuple[Scalar | None, int]]] = defaultdict(list)
        for weight, number in terms:
            made = self.made[number]
            alike = self.single[number] and _is_linear(made)
            source = self.made[made.inputs[0]] if alike else None
            groups[(made.payload, source.shape, source.layout) if source else number].append((weight, number))
        shared = [group for key, group in groups.items() if isinstance(key, tuple) and len(group) > 1]
        if not shared:
            return self._add(node, once=once)
        ends: list[tuple[Scalar | None, int]] = []
        for group in shared:
            last = self.made[group[0][1]]
            inner = [(weight, self.made[number].inputs[0]) for weight, number in group]
            source = self.made[inner[0][1]]
            summed = replace(node, shape=source.shape, layout=source.layout)
            ends.append((None, self._add(replace(last, inputs=(self._of(summed, inner, once=True),)), once=True)))
        inside = {term for group in shared for term in group}
        rest = [term for term in terms if term not in inside]
        if not rest and len(ends) == 1:
            self.single[ends[0][1]] = once
            return ends[0][1]
        if rest and all(weight is not None for weight, _ in rest):
            rest = [(None, self._of(node, rest, once=True))]
        return self._of(node, [*rest, *ends], once=once)

    def _of(self, node: Relaxed, terms: list[tuple[Scalar | None, int]], *, once: bool) -> int:
        """A sum of the form of a node: of weighed terms, or of terms that all count once."""
        weights = tuple(weight for weight, _ in terms if weight is not None)
        payload = Mix(weights) if weights else Apply(ADD.name, ())
        return self._sum(replace(node, payload=payload, inputs=tuple(number for _, number in terms)), terms, once=once)


def _is_linear(node: Relaxed) -> bool:
    """Whether it is linear in the one map that it reads."""
    match node.payload:
        case Mask() | Spread():
            return True
        case Apply(primitive):
            return primitive in _LINEAR and len(node.inputs) == 1
        case _:
            return False


def _readers(graph: RelaxedGraph) -> Counter[int]:
    """How often each node is read, as an output too."""
    found = Counter(source for node in graph.nodes for source in node.inputs)
    found.update(output.node for output in graph.outputs)
    return found


def _is_sum(node: Relaxed, nodes: Sequence[Relaxed]) -> bool:
    """Whether it adds maps of one size; `nodes` are those that its inputs are numbers of."""
    match node.payload:
        case Mix(weights):
            return bool(weights)
        case Apply(primitive):
            sizes = {(nodes[source].layout.size, nodes[source].shape.size) for source in node.inputs}
            return primitive == ADD.name and len(sizes) == 1
        case _:
            return False


def nodes_of(step: Step) -> tuple[int, ...]:
    """The nodes whose maps a step gives to others."""
    match step:
        case Single(node) | Sum(node):
            return (node,)
        case Alike(nodes):
            return nodes
        case _:
            assert_never(step)


def sources_of(step: Step, graph: RelaxedGraph) -> tuple[int, ...]:
    """The nodes that a step reads, each once."""
    match step:
        case Single(node):
            found = graph.nodes[node].inputs
        case Sum(_, terms):
            found = tuple(term.source for term in terms)
        case Alike(nodes):
            found = graph.nodes[nodes[0]].inputs
        case _:
            assert_never(step)
    return tuple(dict.fromkeys(found))


def scalars_of(step: Step, graph: RelaxedGraph) -> tuple[Scalar, ...]:
    """The weights of maps in a step."""
    match step:
        case Single(node):
            match graph.nodes[node].payload:
                case Mix(weights):
                    return weights
                case Weigh(weight):
                    return (weight,)
                case _:
                    return ()
        case Sum(_, terms):
            return tuple(term.weight for term in terms if term.weight is not None)
        case Alike():
            return ()
        case _:
            assert_never(step)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of a plan: steps of one form, and how often it has them."""

    form: str
    count: int
    nodes: int
    """How many nodes of the graph they stand for."""
    kept: int
    """How many maps they keep for the gradient, what they read apart."""
    example: str
    """Where the first of them is, by the text's names."""


def describe(plan: Plan) -> list[Row]:
    """The plan as a table, the most frequent form first."""
    forms: dict[str, list[Step]] = defaultdict(list)
    for step in plan.steps:
        forms[_form(step, plan.graph)].append(step)
    rows = [
        Row(
            form,
            len(steps),
            sum(len(nodes_within(step)) for step in steps),
            sum(len(term.kept) for step in steps if isinstance(step, Sum) for term in step.terms),
            _place(plan.graph, nodes_of(steps[0])[0]),
        )
        for form, steps in forms.items()
    ]
    return sorted(rows, key=lambda row: (-row.nodes, row.form))


def nodes_within(step: Step) -> set[int]:
    """The nodes that a step stands for."""
    match step:
        case Single(node):
            return {node}
        case Sum(node, terms):
            return {node, *(layer for term in terms for layer in term.layers)}
        case Alike(nodes):
            return set(nodes)
        case _:
            assert_never(step)


def _form(step: Step, graph: RelaxedGraph) -> str:
    match step:
        case Single(node):
            return _spelled(graph.nodes[node])
        case Alike(nodes):
            return f"{len(nodes)} equal {_spelled(graph.nodes[nodes[0]])}"
        case Sum(_, (Term(None, _, layers),)):
            return _spelled_row(layers, graph)
        case Sum(_, terms):
            rows = Counter(_spelled_row(term.layers, graph) for term in terms)
            return "sum of " + ", ".join(f"{count} {row}" if count > 1 else row for row, count in rows.items())
        case _:
            assert_never(step)


def _spelled_row(layers: Sequence[int], graph: RelaxedGraph) -> str:
    return " -> ".join(_spelled(graph.nodes[layer]) for layer in layers) or "map"


def _spelled(node: Relaxed) -> str:
    return node.payload.primitive if isinstance(node.payload, Apply) else type(node.payload).__name__.lower()


def _place(graph: RelaxedGraph, node: int) -> str:
    key = graph.nodes[node].key
    return "" if key is None else str(graph.program.nodes[key.node].path)


class _Planner:
    def __init__(self, graph: RelaxedGraph, *, keeps_maps: bool) -> None:
        self.nodes = graph.nodes
        self.keeps_maps = keeps_maps
        self.readers = _readers(graph)
        self.alike = self._alike()
        self.taken = {member for group in self.alike.values() for member in group}

    def singles(self) -> Iterator[Step]:
        """Each node by itself, but for equal batch norms."""
        for number, node in enumerate(self.nodes):
            if number in self.alike:
                yield Alike(self.alike[number])
            elif number not in self.taken and not isinstance(node.payload, Image):
                yield Single(number)

    def steps(self) -> Iterator[Step]:
        done: set[int] = set()
        found: list[Step] = []
        for number in reversed(range(len(self.nodes))):
            if number in done or isinstance(self.nodes[number].payload, Image):
                continue
            if number in self.taken:
                if number in self.alike:
                    found.append(Alike(self.alike[number]))
                continue
            step = self._step(number)
            found.append(step)
            if isinstance(step, Sum):
                done.update(self._inside(number, step))
        return reversed(found)

    def _inside(self, root: int, step: Sum) -> set[int]:
        """The nodes that need no step of their own."""
        inside = {layer for term in step.terms for layer in term.layers}
        sources = {term.source for term in step.terms}
        waiting = [root]
        while waiting:
            for source in self.nodes[waiting.pop()].inputs:
                if source not in inside and source not in sources and self._is_inner_sum(source):
                    inside.add(source)
                    waiting.append(source)
        return inside

    def _step(self, number: int) -> Step:
        if _is_sum(self.nodes[number], self.nodes):
            return Sum(number, tuple(self._terms(number)))
        source, layers = self._row(number)
        if any(self._is_convolution(layer) for layer in layers):
            return Sum(number, (Term(None, source, layers, self._kept(layers, last=False)),))
        return Single(number)

    def _terms(self, number: int) -> Iterator[Term]:
        node = self.nodes[number]
        weights = node.payload.weights if isinstance(node.payload, Mix) else (None,) * len(node.inputs)
        for weight, source in zip(weights, node.inputs, strict=True):
            if self.readers[source] == 1 and source not in self.taken:
                if weight is None and self._is_inner_sum(source):
                    yield from self._terms(source)
                    continue
                first, layers = self._row(source)
                yield Term(weight, first, layers, self._kept(layers, last=weight is not None))
            else:
                yield Term(weight, source, (), ())

    def _row(self, last: int) -> tuple[int, tuple[int, ...]]:
        """The layers in a row that end with a node, and what the first of them reads."""
        layers: list[int] = []
        number = last
        while self._in_row(number) and (number == last or self.readers[number] == 1):
            layers.append(number)
            (number,) = self.nodes[number].inputs
        return number, tuple(reversed(layers))

    def _kept(self, layers: Sequence[int], *, last: bool) -> tuple[int, ...]:
        """Convolutions, those of one pixel apart that follow upon another one: they cost least to compute again.

        ReLUs too where all maps are kept; a batch norm before one is written over by it. `last` is whether the output
        of the row is read for a gradient.
        """
        kept: list[int] = []
        before: int | None = None
        for position, layer in enumerate(layers):
            convolution = self._is_convolution(layer)
            read = position + 1 < len(layers) or last
            cheap = convolution and before in kept and self._is_pointwise(layer)
            if self.keeps_maps:
                keep = (convolution and read) or self._is_relu(layer)
            else:
                keep = convolution and read and not cheap
            if keep:
                kept.append(layer)
            before = layer
        return tuple(kept)

    def _is_inner_sum(self, number: int) -> bool:
        return _is_sum(self.nodes[number], self.nodes) and self.readers[number] == 1

    def _in_row(self, number: int) -> bool:
        payload = self.nodes[number].payload
        if not isinstance(payload, Apply) or payload.primitive not in _IN_ROWS or number in self.taken:
            return False
        # A convolution in a row has padding that torch's own has.
        return payload.primitive not in CONVOLUTIONS or conv_window(payload.attribute).even is not None

    def _is_convolution(self, number: int) -> bool:
        payload = self.nodes[number].payload
        return isinstance(payload, Apply) and payload.primitive in CONVOLUTIONS

    def _is_relu(self, number: int) -> bool:
        payload = self.nodes[number].payload
        return isinstance(payload, Apply) and payload.primitive == RELU

    def _is_pointwise(self, number: int) -> bool:
        payload = self.nodes[number].payload
        return isinstance(payload, Apply) and payload.attribute["k"] == (1, 1)

    def _alike(self) -> Mapping[int, tuple[int, ...]]:
        """Batch norms without weights of one map, by the first of them."""
        groups: dict[object, list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            payload = node.payload
            if isinstance(payload, Apply) and payload.primitive == NORM and payload.attribute["affine"] is False:
                groups[payload, node.inputs].append(number)
        return {members[0]: tuple(members) for members in groups.values() if len(members) > 1}


def _has_small_maps(graph: RelaxedGraph) -> bool:
    """Whether the maps of an image are fewer values than weights: kept they take little memory, and save many calls."""
    maps = 0
    weights: dict[int, int] = {}
    for node in graph.nodes:
        if not (isinstance(node.payload, Apply) and node.payload.primitive in _IN_ROWS):
            continue
        maps += node.layout.size * node.shape.height * node.shape.width
        if node.owner is not None:
            read = graph.nodes[node.inputs[0]]
            shape = read.shape._replace(channels=read.layout.size)
            weights[node.owner] = tensor_values(node.payload, (shape,))
    return maps <= sum(weights.values())


def _mostly_depthwise(graph: RelaxedGraph) -> bool:
    kinds = Counter(node.payload.primitive for node in graph.nodes if isinstance(node.payload, Apply))
    # Few depthwise layers, as in heads, do not pay for the others.
    return 4 * kinds[DWCONV.name] > kinds[CONV.name]
