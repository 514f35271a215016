"""Rule 4: equal beginnings of branches are one computation."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.cost.figures import figures
from archdsl.ir import closed, verify
from archdsl.ir.passes import answered
from archdsl.pipeline import load
from archdsl.space import FrameKind, Program
from tests.space.samples import REPOSITORY, SIZE, SMALL, SPACE, sampled


@pytest.fixture(scope="module")
def program() -> Program:
    return load(str(SPACE), overrides=SMALL, size=SIZE).program


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_shared_cells_are_counted_once(program: Program, seed: int) -> None:
    _, trace = sampled(program, Random(seed))
    apart = figures(verify(answered(program, trace, "found")))
    together = figures(closed(program, trace, "found"))
    shared = [node for node in together.nodes if len(node.branches) > 1]
    assert together.params == apart.params - sum(node.params for node in shared)
    assert together.macs == apart.macs - sum(node.macs for node in shared)
    assert together.params <= apart.params


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_no_two_nodes_of_a_place_compute_the_same(program: Program, seed: int) -> None:
    _, trace = sampled(program, Random(seed))
    graph = closed(program, trace, "found")
    seen: set[object] = set()
    for node, inputs in graph.nodes():
        if not node.branches or node.frames[0].kind is not FrameKind.CELL:
            continue
        place = node.frames[0].name.rsplit(".", 1)[-1]
        key = (place, *(frame.name for frame in node.frames[1:]), node.local, node.payload, inputs)
        assert key not in seen, node.path
        seen.add(key)


def test_the_published_branches_share_the_cells_before_they_part() -> None:
    graph = load(str(REPOSITORY / "spaces" / "genotypes" / "fasterseg_student.arch")).network()
    shared = {node.frames[0].name for node, _ in graph.nodes() if len(node.branches) > 1}
    assert {name for name in shared if name.startswith("trunk")} == {"trunk[2][8]", "trunk[4][8]"}
    assert all(not name.startswith(("a.", "b.")) for name in shared)
    # The first cell reads the stem, which is no branch's own.
    assert {node.branches for node, _ in graph.nodes() if node.frames and node.frames[0].name == "trunk[1][8]"} == {()}
