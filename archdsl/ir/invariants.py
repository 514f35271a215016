"""What is true of every graph, checked before and after each pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, assert_never

from archdsl.ir.errors import BrokenGraph
from archdsl.ir.graph import ClosedGraph, ClosedNode, Graph, Node, OpenGraph, OpenNode
from archdsl.ir.names import identifier, module_path, module_scope, spell_module
from archdsl.ops import Count, Dim, Shape, ShapeError, Weight
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Chosen,
    Frame,
    Image,
    Keep,
    MapChannels,
    Measured,
    OfBranch,
    Payload,
    Piecewise,
    QuestionPath,
    Result,
    Select,
    Unread,
)
from archdsl.space.node_path import below

G = TypeVar("G", OpenGraph, ClosedGraph)


def verify(graph: G) -> G:
    """The graph itself. Raises BrokenGraph where something is not true that always has to be.

    Of both kinds: the edges are acyclic and those that the nodes name, no two nodes or scopes share a path, no two
    nodes a torch module but those that share weights, and these are one layer, inputs are as many as the payload reads,
    shapes follow from the rules of `ops`, and there is an output. Of a closed graph: no payload and no channel count is
    open. Of an open one: what selects, keeps and channel counts name is a question or a node of the graph.
    """
    _verify_edges(graph)
    _verify_names(graph)
    _verify_weights(graph)
    if not graph.results:
        raise BrokenGraph(f"`{graph.name}` has no output")
    if isinstance(graph, ClosedGraph):
        for node, _ in graph.nodes():
            _verify_closed(node)
            _verify_node(graph, node, graph.input_shapes(node.path))
    else:
        for node, _ in graph.nodes():
            _verify_open(graph, node)
            _verify_node(graph, node, graph.input_shapes(node.path))
    return graph


def _verify_edges(graph: Graph) -> None:
    """Inputs that stand before their readers make no cycle."""
    edges: dict[str, dict[int, str]] = {path: {} for path in graph}
    for source, reader, position in graph.nx.edges(keys=True):
        edges[reader][position] = source
    seen: set[str] = set()
    for path, read in edges.items():
        if late := [source for source in read.values() if source not in seen]:
            raise BrokenGraph(f"`{path}` reads `{late[0]}`, which does not stand before it")
        if read != dict(enumerate(graph.inputs(path))):
            raise BrokenGraph(f"`{path}` reads {graph.inputs(path)} and its edges are {read}")
        seen.add(path)


def _verify_names(graph: Graph) -> None:
    """One path stands for one node or one scope."""
    scopes: dict[str, Frame] = {}
    modules: dict[tuple[tuple[str, ...], str], str] = {}
    known: dict[int, tuple[tuple[str, ...], str]] = {}
    """The modules around nodes, by the identity of their frames, which neighbours share."""
    for path in graph:
        node = graph.node(path)
        if node.path != path:
            raise BrokenGraph(f"`{node.path}` stands under another path than its own, `{path}`")
        if (around := known.get(id(node.frames))) is None:
            _verify_scopes(node.frames, scopes)
            around = known[id(node.frames)] = module_scope(node.frames)
        module = around[0], around[1] + identifier(node.local)
        owner = path
        if node.weights is not None:
            (*inside, local), owner = module_path(node), node.weights.spelled
            module = tuple(inside), local
        if (other := modules.setdefault(module, owner)) != owner:
            raise BrokenGraph(f"`{path}` and `{other}` would be one module `{spell_module(module_path(node))}`")
    if both := scopes.keys() & set(graph):
        raise BrokenGraph(f"`{min(both)}` is the path of a node and of a scope")


def _verify_weights(graph: Graph) -> None:
    """What shares weights is one layer at several places."""
    layers: dict[str, tuple[Payload, tuple[Weight, ...], str]] = {}
    for node, _ in graph.nodes():
        if node.weights is None:
            continue
        if not isinstance(node.payload, Apply):
            raise BrokenGraph(f"`{node.path}` shares weights and has none")
        wanted = PRIMITIVES[node.payload.primitive].weights(graph.input_shapes(node.path), node.payload.attribute)
        payload, weights, first = layers.setdefault(node.weights.spelled, (node.payload, wanted, node.path))
        if (payload, weights) != (node.payload, wanted):
            raise BrokenGraph(f"`{node.path}` and `{first}` share weights and are not one layer")


def _verify_scopes(frames: tuple[Frame, ...], scopes: dict[str, Frame]) -> None:
    path = ""
    for frame in frames:
        path = below(path, frame)
        if (other := scopes.setdefault(path, frame)) != frame:
            raise BrokenGraph(f"`{path}` is the path of {frame!r} and of {other!r}")


def _verify_closed(node: ClosedNode) -> None:
    if not _is_closed(node.payload):
        raise BrokenGraph(f"`{node.path}` is `{type(node.payload).__name__}`, which only an open graph has")
    given = [value for _, value in node.payload.attributes] if isinstance(node.payload, Apply) else []
    if found := next((count for count in (node.shape.channels, *given) if isinstance(count, Dim)), None):
        raise BrokenGraph(f"`{node.path}` has {found} channels, which answers decide")


def _is_closed(payload: object) -> bool:
    """What the type says, of graphs that were not made under its eyes."""
    return isinstance(payload, Image | Apply | Result)


def _verify_open(graph: OpenGraph, node: OpenNode) -> None:
    asked: list[QuestionPath] = []
    match node.payload:
        case Select(Asked(question)) | Keep(question):
            asked.append(question)
        case Select(Unread(readings)):
            asked += [question for question, _ in readings]
        case _:
            pass
    for leaf in _leaves(node):
        match leaf:
            case Chosen(question):
                asked.append(question)
            case MapChannels() if leaf.path not in graph:
                raise BrokenGraph(f"`{node.path}` has the channels of `{leaf.path}`, which is not in the graph")
            case _:
                pass
    if unknown := [question for question in asked if question not in graph.questions]:
        raise BrokenGraph(f"`{node.path}` asks `{unknown[0]}`, which is no question of `{graph.name}`")


def _leaves(node: OpenNode) -> Iterator[Leaf]:
    yield from _leaves_of(node.shape.channels)
    match node.payload:
        case Apply(_, attributes):
            for _, value in attributes:
                if isinstance(value, Dim):
                    yield from _leaves_of(value)
        case Select(Measured(count)):
            yield from _leaves_of(count)
        case _:
            pass


def _leaves_of(count: Count) -> Iterator[Leaf]:
    for leaf in () if isinstance(count, int) else count.leaves():
        yield leaf
        if isinstance(leaf, Piecewise):
            for inner in (leaf.subject, *(each for _, each in leaf.arms)):
                yield from _leaves_of(inner)


def _verify_node(graph: Graph, node: Node, shapes: tuple[Shape, ...]) -> None:
    match node.payload:
        case Apply(name):
            primitive = PRIMITIVES[name]
            if len(shapes) < primitive.least or (primitive.most is not None and len(shapes) > primitive.most):
                raise BrokenGraph(f"`{node.path}` gives {len(shapes)} maps to `{name}`")
            expected = _by_rule(node.path, node.payload, shapes)
        case Image() | Absent():
            _verify_count(node.path, shapes, 0)
            expected = node.shape
        case Select(_, labels) | Keep(_, labels):
            _verify_count(node.path, shapes, len(labels))
            expected = shapes[0] if shapes else node.shape
        case OfBranch() | Result():
            _verify_count(node.path, shapes, 1)
            expected = shapes[0]
        case _:
            assert_never(node.payload)
    if _own_channels(node):
        expected = expected._replace(channels=node.shape.channels)
    if expected != node.shape:
        raise BrokenGraph(f"`{node.path}` is {node.shape} and its rule says {expected}")


def _own_channels(node: Node) -> bool:
    """Whether the channels of its map stand for themselves: those of a mix whose candidates differ."""
    channels = node.shape.channels
    return isinstance(channels, Dim) and any(
        isinstance(leaf, MapChannels) and leaf.path == node.path for leaf in channels.leaves()
    )


def _verify_count(path: str, shapes: tuple[Shape, ...], expected: int) -> None:
    if len(shapes) != expected:
        raise BrokenGraph(f"`{path}` has {len(shapes)} inputs instead of {expected}")


def _by_rule(path: str, payload: Apply, shapes: tuple[Shape, ...]) -> Shape:
    try:
        return PRIMITIVES[payload.primitive].shape(shapes, payload.attribute)
    except ShapeError as error:
        raise BrokenGraph(f"`{path}`: {error.reason}") from error
