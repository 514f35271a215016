"""Laws of node paths and scopes, on every text of the repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.ir import Graph, Scope
from archdsl.sema.elaborate import builder
from archdsl.space import FrameKind
from archdsl.space.node_path import spell
from tests.ir.texts import FILES, graphs


def both(file: str) -> list[Graph]:
    return [graph for pair in graphs(file) for graph in pair if graph is not None]


@pytest.mark.parametrize("file", FILES)
def test_a_spelled_path_finds_its_node_and_its_scope(file: str) -> None:
    for graph in both(file):
        for node, _ in graph.nodes():
            assert graph.node(str(node.location)) is node
            assert node.path not in graph.scopes
            around = graph.scopes.around[node.path]
            assert [scope.frames for scope in around] == [node.frames[: i + 1] for i in range(len(node.frames))]
            assert all(graph.scopes[spell(scope.frames)] is scope for scope in around)


@pytest.mark.parametrize("file", FILES)
def test_without_owners_a_network_stands_where_its_space_does(file: str) -> None:
    for space, network in graphs(file):
        if network is not None:
            assert all(node.location.shared.spelled in space for node, _ in network.nodes())
            assert all(scope.shared_path in space.scopes for scope in network.scopes)


@pytest.mark.parametrize("file", FILES)
def test_scopes_partition_the_nodes(file: str) -> None:
    for graph in both(file):
        tree = graph.scopes
        position = {path: index for index, path in enumerate(graph)}
        assert tree.root.nodes == tuple(graph)
        for scope in (tree.root, *tree):
            parts = [*scope.own, *(path for child in scope.children for path in child.nodes)]
            assert sorted(parts, key=position.__getitem__) == list(scope.nodes)
            assert all(child.frames[:-1] == scope.frames for child in scope.children)
        assert {path: scope for scope in tree for path in scope.own} == {
            path: around[-1] for path, around in tree.around.items() if around
        }


@pytest.mark.parametrize("file", FILES)
def test_what_crosses_the_border_of_a_region_is_among_its_inputs_and_outputs(file: str) -> None:
    for graph in both(file):
        scopes: list[Scope] = sorted(graph.scopes, key=lambda scope: len(scope.nodes))[-12:]
        for scope in (graph.scopes.root, *scopes):
            region = graph.region(scope.nodes)
            inside = set(scope.nodes)
            crossing = [(a, b) for a, b in graph.nx.edges() if (a in inside) != (b in inside)]
            ends = {path for path in inside if not graph.readers(path)}
            sources = {source for source, _ in crossing}
            assert set(region.inputs) == sources - inside
            assert set(region.outputs) == (sources & inside) | ends
        assert graph.region(graph).inputs == ()


STEPS = st.tuples(st.integers(0, 9), st.sampled_from(["a", "head", "a_2", "conv"]), st.sampled_from(["", "a", "b"]))


@given(st.lists(STEPS, max_size=25))
def test_no_two_scopes_of_a_text_have_one_path(steps: list[tuple[int, str, str]]) -> None:
    """A cell `head` on the map of a branch `a`, beside a cell `a` with a `head` in it, among them."""
    scopes = [builder.Scope()]
    for above, name, branch in steps:
        scopes.append(scopes[above % len(scopes)].child(FrameKind.CELL, name, name, branch=branch))
    spelled = [spell(scope.frames) for scope in scopes]
    assert len(spelled) == len(set(spelled))
