"""What a cost table has rows for: each op of a path as a whole, and primitives that stand outside of ops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archdsl.cost.figures import cell_name
from archdsl.cost.graph_passes import AS_WRITTEN, GraphPasses, run_nodes
from archdsl.cost.kernel import Kernel, input_names, kernel_of, spell
from archdsl.ir import ClosedGraph, ClosedNode, for_inference
from archdsl.ops import Shape
from archdsl.space import Apply, Frame, FrameKind
from archdsl.space.node_path import spell as spell_scope


@dataclass(frozen=True, slots=True)
class Row:
    """A kernel, with what readers call it. Two ops that do the same on maps of the same shapes are one row."""

    op: str = field(compare=False)
    """What it is called where it was first met: for readers."""
    reads: tuple[str, ...]
    """The shapes of the maps that it reads: `64x128x256`."""
    body: str
    """The primitives of which it is made, as the language writes the body of an op."""
    gives: str = field(compare=False)
    """The shape of its map, which follows from the rest."""

    @classmethod
    def of(cls, op: str, kernel: Kernel) -> Row:
        return cls(op, tuple(str(shape) for shape in kernel.inputs), spell(kernel), str(kernel.result))

    def __str__(self) -> str:
        return f"`{self.op}` from {' and '.join(self.reads)} to {self.gives}"


def text_of(row: Row) -> str:
    """A text whose network is this row and nothing else: what is built to measure it."""
    names = list(input_names(len(row.reads)).values())
    *lines, result = row.body.split("; ")
    images = ", ".join(f"{name}: {shape}" for name, shape in zip(names, row.reads, strict=True))
    body = "".join(f"  {line}\n" for line in (f"in {', '.join(names)}", *lines, f"out {result}"))
    call = f"{names[0]} -> row" if len(names) == 1 else f"row({', '.join(names)})"
    return f"archdsl 1\n\nop row() {{\n{body}}}\n\nspace one() {{\n  in {images}\n  out y = {call}\n}}\n"


@dataclass(frozen=True, slots=True)
class Use:
    """A row at its place in a network."""

    row: Row
    kernel: Kernel
    path: str
    node: str
    """The node that gives its map."""
    cell: str
    """As in `figures`: the outermost cell, else the line."""
    branches: tuple[str, ...]


def call_of(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The steps of a path down to its outermost op; nothing for what stands outside of ops."""
    for position, frame in enumerate(frames):
        if frame.kind is FrameKind.OP:
            return tuple(frames[: position + 1])
    return ()


def rows_of(graph: ClosedGraph, passes: GraphPasses = AS_WRITTEN) -> tuple[Row, ...]:
    """The rows that a closed graph needs at inference, each once."""
    return tuple(dict.fromkeys(use.row for use in uses(graph, passes)))


def uses(graph: ClosedGraph, passes: GraphPasses = AS_WRITTEN) -> tuple[Use, ...]:
    """Every op and every primitive outside of ops that a runtime with these passes runs, in the order of the graph.

    What branches share is there once. An op that they share in part (they read its first steps alike and its width
    differently) is there whole for each: a row is an op as it runs alone. So is an op of which a pass removes a part.
    """
    graph = for_inference(graph)
    run = run_nodes(graph, passes)
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for nodes in _pieces(graph):
        roots = tuple(root for root in graph.region(nodes).outputs if root in run)
        if roots:
            found.setdefault(_needed(graph, nodes, roots), roots)
    return tuple(use for nodes, roots in found.items() if (use := _use(graph, nodes, roots)) is not None)


def _pieces(graph: ClosedGraph) -> Iterator[tuple[str, ...]]:
    """The nodes of each piece; of an op that several branches compute, for each branch."""
    calls: dict[object, list[ClosedNode]] = {}
    for path, _ in graph.with_payload(Apply):
        node = graph.node(path)
        calls.setdefault(call_of(node.location.shared.frames) or path, []).append(node)
    for nodes in calls.values():
        branches = dict.fromkeys(branch for node in nodes for branch in node.branches)
        for branch in branches or ("",):
            yield tuple(node.path for node in nodes if not node.branches or branch in node.branches)


def _needed(graph: ClosedGraph, nodes: Sequence[str], roots: Iterable[str]) -> tuple[str, ...]:
    """Those of a piece's nodes that its roots depend on."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path in nodes and path not in found:
            found.add(path)
            waiting.extend(graph.inputs(path))
    return tuple(path for path in nodes if path in found)


def _use(graph: ClosedGraph, nodes: Sequence[str], roots: Sequence[str]) -> Use | None:
    call = call_of(graph.node(nodes[0]).frames)
    kernel = kernel_in(graph, nodes, roots) if call else _primitive(graph, nodes[0])
    if kernel is None:
        return None
    last = graph.node(roots[-1])
    op = call[-1].definition if call else _applied(last).primitive
    path, cell = spell_scope(call_of(last.frames)) or last.path, cell_name(graph, last.path)
    return Use(Row.of(op, kernel), kernel, path, last.path, cell, last.branches)


def kernel_in(graph: ClosedGraph, nodes: Iterable[str], roots: Iterable[str]) -> Kernel | None:
    """What some nodes of a closed graph do, as far as `roots` need it."""
    steps = {path: (_applied(graph.node(path)), graph.inputs(path)) for path in nodes}
    return kernel_of(roots, steps, lambda path: graph.node(path).shape)


def _primitive(graph: ClosedGraph, path: str) -> Kernel | None:
    return alone(_applied(graph.node(path)), graph.input_shapes(path), graph.node(path).shape)


def alone(payload: Apply, reads: Sequence[Shape], gives: Shape) -> Kernel | None:
    """A primitive by itself: each map that it reads is one of its own, for reading one twice is no less work."""
    shapes = [*reads, gives]
    steps = {len(reads): (payload, range(len(reads)))}
    return kernel_of([len(reads)], steps, lambda number: shapes[number])


def _applied(node: ClosedNode) -> Apply:
    assert isinstance(node.payload, Apply)
    return node.payload
