"""Each invariant of a graph: the graph that breaks it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import networkx as nx
import pytest

from archdsl.ir import BrokenGraph, ClosedGraph, ClosedNode, OpenGraph, OpenNode, verify
from archdsl.ir.graph import ClosedPayload
from archdsl.ir.passes import run
from archdsl.ops import Shape
from archdsl.ops.bind import bind
from archdsl.ops.dims import variable
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Apply,
    Asked,
    Branch,
    Chosen,
    Frame,
    FrameKind,
    Image,
    Keep,
    MapChannels,
    Measured,
    NodePath,
    OfBranch,
    Payload,
    Piecewise,
    Question,
    QuestionKind,
    QuestionPath,
    Result,
    Select,
    Within,
)
from tests.graphs import small_network

Q, R = QuestionPath((), "q"), QuestionPath((), "r")
BRANCH = Branch((), "a")
SHAPE = Shape(8, 16, 16)
RELU = Apply("relu")
CONV = Apply("conv", bind(PRIMITIVES["conv"], {"c": 8}))
ADD = Apply("add")


def at(path: str, kind: FrameKind = FrameKind.CELL) -> NodePath:
    *scopes, local = path.split(".")
    return NodePath(tuple(Frame(kind, scope, scope) for scope in scopes), local)


def node(path: str | NodePath, payload: ClosedPayload, shape: Shape = SHAPE) -> ClosedNode:
    return ClosedNode(at(path) if isinstance(path, str) else path, payload, shape)


IMAGE = (node("image", Image("image")), ())
OUT = (node("out y", Result("y")), ("cell.relu",))
WHOLE = (IMAGE, (node("cell.relu", RELU), ("image",)), OUT)


def closed_of(*nodes: tuple[ClosedNode, tuple[str, ...]]) -> ClosedGraph:
    return ClosedGraph.of("broken", nodes)


def test_a_whole_graph_is_handed_back() -> None:
    graph = closed_of(*WHOLE)
    assert verify(graph) is graph


def test_a_path_is_there_once() -> None:
    with pytest.raises(BrokenGraph, match=r"two nodes have the path `cell.relu`"):
        closed_of(IMAGE, WHOLE[1], WHOLE[1], OUT)


def test_an_input_stands_before_its_reader() -> None:
    with pytest.raises(BrokenGraph, match=r"`cell.relu` reads `image`, which does not stand before it"):
        closed_of(WHOLE[1], IMAGE, OUT)


def edited(edit: Callable[[nx.MultiDiGraph[str]], None]) -> ClosedGraph:
    """A graph that somebody changed by way of networkx."""
    carrier = closed_of(*WHOLE).nx.copy()
    edit(carrier)
    return ClosedGraph("broken", carrier)


def _lose_an_edge(graph: nx.MultiDiGraph[str]) -> None:
    graph.remove_edge("image", "cell.relu")


def _read_twice(graph: nx.MultiDiGraph[str]) -> None:
    graph.add_edge("image", "cell.relu", key=1)


def _read_itself(graph: nx.MultiDiGraph[str]) -> None:
    graph.add_edge("cell.relu", "cell.relu", key=0)


def _read_what_follows(graph: nx.MultiDiGraph[str]) -> None:
    graph.add_edge("out y", "cell.relu", key=1)


def _change_places(graph: nx.MultiDiGraph[str]) -> None:
    graph.add_node("image", node=WHOLE[1][0])


EDITS: dict[str, tuple[Callable[[nx.MultiDiGraph[str]], None], str]] = {
    "an edge is gone": (_lose_an_edge, "its edges are"),
    "an edge more": (_read_twice, "its edges are"),
    "a loop": (_read_itself, "does not stand before it"),
    "a cycle": (_read_what_follows, "does not stand before it"),
    "another node": (_change_places, "stands under another path than its own"),
}


@pytest.mark.parametrize(("edit", "what"), EDITS.values(), ids=EDITS)
def test_edges_are_what_nodes_name(edit: Callable[[nx.MultiDiGraph[str]], None], what: str) -> None:
    with pytest.raises(BrokenGraph, match=what):
        verify(edited(edit))


OPEN_CHANNELS = variable(Chosen(Q, (4, 8)))
OPEN_CONV = replace(CONV, attributes=(("c", OPEN_CHANNELS), *CONV.attributes[1:]))
SMALL = Shape(4, 16, 16)


@pytest.mark.parametrize(
    ("nodes", "what"),
    [
        ([IMAGE, WHOLE[1]], "has no output"),
        ([*WHOLE, (node("a-b.relu", RELU), ("image",)), (node("a_b.relu", RELU), ("image",))], "one module"),
        ([*WHOLE, (node("cell", RELU), ("image",))], "path of a node and of a scope"),
        ([*WHOLE, (node(at("cell.bn", FrameKind.OP), RELU), ("image",))], "`cell` is the path of"),
        ([IMAGE, (node("cell.relu", RELU), ("image", "image")), OUT], "gives 2 maps to `relu`"),
        ([IMAGE, (node("cell.relu", RELU), ()), OUT], "gives 0 maps to `relu`"),
        ([IMAGE, (node("cell.relu", Image("x")), ("image",)), OUT], "1 inputs instead of 0"),
        ([IMAGE, WHOLE[1], (OUT[0], ("cell.relu", "image"))], "2 inputs instead of 1"),
        ([IMAGE, (node("cell.relu", RELU, SMALL), ("image",)), OUT], "its rule says 8x16x16"),
        ([*WHOLE[:2], (node("out y", Result("y"), SMALL), ("cell.relu",))], "its rule says 8x16x16"),
        (
            [IMAGE, (node("other", Image("x"), SMALL), ()), (node("cell.relu", ADD), ("image", "other")), OUT],
            "`cell.relu`: ",
        ),
        ([IMAGE, (node("cell.relu", cast("ClosedPayload", Select(Asked(Q), ("a",)))), ("image",)), OUT], "`Select`"),
        ([(node("image", Image("image"), Shape(OPEN_CHANNELS, 16, 16)), ()), *WHOLE[1:]], "has q channels"),
        ([IMAGE, (node("cell.relu", OPEN_CONV), ("image",)), OUT], "has q channels"),
    ],
)
def test_what_no_closed_graph_may_be(nodes: list[tuple[ClosedNode, tuple[str, ...]]], what: str) -> None:
    with pytest.raises(BrokenGraph, match=what):
        verify(closed_of(*nodes))


QUESTION = Question(Q, QuestionKind.OPERATOR, ("a", "b"))


def open_of(payload: Payload, inputs: tuple[str, ...], channels: object = 8) -> OpenGraph:
    """An open graph with one node between image and output."""
    shape = Shape(cast("int", channels), 16, 16)
    nodes = (
        (OpenNode(at("image"), Image("image"), SHAPE), ()),
        (OpenNode(at("cell.pick"), payload, shape), inputs),
        (OpenNode(at("out y"), Result("y"), shape), ("cell.pick",)),
    )
    return OpenGraph.of("broken", nodes, {Q: QUESTION})


def of_map(path: str) -> MapChannels:
    return MapChannels(0, path, frozenset({8}), 8)


@pytest.mark.parametrize(
    ("payload", "inputs", "channels"),
    [
        (Select(Asked(Q), ("a", "b")), ("image", "image"), 8),
        (Select(Asked(Q), ("a", "b")), ("image", "image"), variable(of_map("cell.pick"))),
        (Select(Measured(variable(of_map("image"))), (Within(1, 9),)), ("image",), 8),
        (Keep(Q, ("a", "b")), ("image", "image"), 8),
        (OfBranch(BRANCH), ("image",), 8),
    ],
)
def test_what_an_open_graph_may_be(payload: Payload, inputs: tuple[str, ...], channels: object) -> None:
    graph = open_of(payload, inputs, channels)
    assert verify(graph) is graph


@pytest.mark.parametrize(
    ("payload", "inputs", "channels", "what"),
    [
        (Select(Asked(R), ("a", "b")), ("image", "image"), 8, "asks `r`, which is no question"),
        (Keep(R, ("a", "b")), ("image", "image"), 8, "asks `r`, which is no question"),
        (RELU, ("image",), variable(Chosen(R, (4, 8))), "asks `r`, which is no question"),
        (Select(Asked(Q), ("a", "b")), ("image",), 8, "1 inputs instead of 2"),
        (Keep(Q, ("a", "b")), ("image",), 8, "1 inputs instead of 2"),
        (OfBranch(BRANCH), ("image", "image"), 8, "2 inputs instead of 1"),
        (Select(Asked(Q), ("a",)), ("image",), 4, "its rule says 8x16x16"),
        (RELU, ("image",), variable(of_map("gone")), "the channels of `gone`, which is not in the graph"),
        (Select(Measured(variable(of_map("gone"))), (Within(1, 9),)), ("image",), 8, "the channels of `gone`"),
        (
            RELU,
            ("image",),
            variable(Piecewise(variable(of_map("gone")), ((Within(1, 9), 8),))),
            "the channels of `gone`",
        ),
    ],
)
def test_what_no_open_graph_may_be(payload: Payload, inputs: tuple[str, ...], channels: object, what: str) -> None:
    with pytest.raises(BrokenGraph, match=what):
        verify(open_of(payload, inputs, channels))


def test_a_pass_that_breaks_a_graph_is_found_out() -> None:
    graph = small_network()
    assert run(graph, lambda each: each) is graph

    def without_outputs(each: ClosedGraph) -> ClosedGraph:
        return each.only({path for path in each if path not in each.results})

    with pytest.raises(BrokenGraph, match="has no output"):
        run(graph, without_outputs)
