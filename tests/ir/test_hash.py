"""The canonical hash: equal for one computation however it is written, different for different ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import networkx as nx
import pytest

from archdsl.ir import ClosedGraph, ClosedNode, canonical_hash, verify
from archdsl.pipeline import load
from archdsl.space import NodePath
from tests.pipeline.spaces import SMALL, Case, graph_of, samples

BASE = """archdsl 1

use std

op block(c) = conv(c, k = 3) -> bn -> relu

space net() {
  in image: 3x32x64
  stem = image -> block(8)
  left = stem -> conv1x1(8)
  right = stem -> conv3x3(8)
  both = left + right
  out logits = both -> conv(19, k = 1)
}
"""


def hash_of(folder: Path, text: str) -> str:
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    return canonical_hash(load(str(file)).network())


def changed(*pairs: tuple[str, str]) -> str:
    text = BASE
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    "text",
    [
        changed(("left", "one"), ("right", "other")),
        changed(("stem", "entry"), ("both", "joined")),
        changed(("block", "brick")),
        changed(("space net", "space another")),
        changed(("left + right", "right + left")),
        changed(
            ("  left = stem -> conv1x1(8)\n  right = stem -> conv3x3(8)\n", ""),
            ("  both =", "  right = stem -> conv3x3(8)\n  left = stem -> conv1x1(8)\n  both ="),
        ),
        changed(("image -> block(8)", "image -> conv3x3(8)")),
        changed(("op block(c) = conv(c, k = 3) -> bn -> relu\n\n", ""), ("block(8)", "conv_bn_relu(8)")),
        changed(("  both = left + right\n", "  both = sum({left, right})\n")),
        changed(("in image: 3x32x64", "in image: 3x32x64   # a comment")),
    ],
)
def test_names_and_order_do_not_count(tmp_path: Path, text: str) -> None:
    assert hash_of(tmp_path, text) == hash_of(tmp_path, BASE)


@pytest.mark.parametrize(
    "text",
    [
        changed(("stem -> conv1x1(8)", "stem -> conv3x3(8)")),
        changed(("k = 3) -> bn -> relu", "k = 5) -> bn -> relu")),
        changed(("k = 3) -> bn -> relu", "k = 3) -> relu -> bn")),
        changed(("conv(19, k = 1)", "conv(11, k = 1)")),
        changed(("3x32x64", "3x64x64")),
        changed(("  both = left + right\n", "  both = left + stem + right\n")),
        changed(("stem -> conv3x3(8)", "left -> conv3x3(8)")),
        changed(("out logits", "out labels")),
    ],
)
def test_another_computation_has_another_hash(tmp_path: Path, text: str) -> None:
    assert hash_of(tmp_path, text) != hash_of(tmp_path, BASE)


def shuffled(graph: ClosedGraph, random: Random) -> ClosedGraph:
    """The same network with other names, all but its outputs in another topological order."""
    left = {path: set(graph.inputs(path)) for path in graph if path not in graph.results}
    order: list[str] = []
    while left:
        path = random.choice([path for path, needed in left.items() if needed <= set(order)])
        order.append(path)
        del left[path]
    order += graph.results
    names = {path: f"n{number}" for number, path in enumerate(order)}
    return ClosedGraph.of(
        "shuffled",
        (
            (
                ClosedNode(NodePath((), names[path]), graph.node(path).payload, graph.node(path).shape),
                tuple(names[source] for source in graph.inputs(path)),
            )
            for path in order
        ),
    )


def isomorphic(one: ClosedGraph, other: ClosedGraph) -> bool:
    """Whether nodes can be paired so that payloads, shapes and the order of inputs are the same (VF2)."""

    def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
        return (left["node"].payload, left["node"].shape) == (right["node"].payload, right["node"].shape)

    def positions(left: dict[int, Any], right: dict[int, Any]) -> bool:
        return left.keys() == right.keys()

    return nx.is_isomorphic(one.nx, other.nx, node_match=same, edge_match=positions)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_isomorphic_graphs_have_one_hash_and_others_have_others(case: Case) -> None:
    graph, *others = (graph_of(case, answers) for answers in samples(case, 3))
    renamed = verify(shuffled(graph, Random(3)))
    assert isomorphic(graph, renamed)
    assert canonical_hash(graph) == canonical_hash(renamed)
    for other in others:
        assert isomorphic(graph, other) <= (canonical_hash(graph) == canonical_hash(other))
