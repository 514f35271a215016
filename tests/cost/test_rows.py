"""Rows: what a network needs is among what its space can need, and each row is a text of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.cost import figures
from archdsl.cost.rows import Row, rows_of, text_of, uses
from archdsl.cost.space_rows import rows_of_space
from archdsl.ir import ClosedGraph
from archdsl.pipeline import load
from archdsl.pipeline.expand import expand
from tests.pipeline.spaces import SMALL, Case, graph_of, laws, loaded, samples

PUBLISHED = Path(__file__).parents[1] / "texts/published"

NET = """archdsl 1

use std

space net(c = 8) {
  in image: 3x32x64
  stem = image -> conv3x3(c, s = 2)
  wide = stem -> conv_bn_relu(c, k = 3)
  out logits = concat(stem, wide) -> conv(19, k = 1) -> resize(2)
}
"""


def network(text: str, folder: Path) -> ClosedGraph:
    (folder / "net.arch").write_text(text, encoding="utf-8")
    return load(str(folder / "net.arch")).network()


@pytest.mark.parametrize(("case", "count"), laws(few=6, many=100))
def test_rows_of_a_genotype_are_rows_of_its_space(case: Case, count: int) -> None:
    possible = set(rows_of_space(loaded(case).program))
    for answers in samples(case, count):
        missing = set(rows_of(graph_of(case, answers))) - possible
        assert not missing, [f"{row}: {row.body}" for row in missing]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_space_without_questions_needs_what_its_network_needs(case: Case, tmp_path: Path) -> None:
    """Of a space that asks something a sample, written out as a space of its own."""
    space = loaded(case)
    if not space.closed:
        (tmp_path / "net.arch").write_text(expand(graph_of(case, samples(case, 1)[0])), encoding="utf-8")
        space = load(str(tmp_path / "net.arch"))
    rows = set(rows_of(space.network()))
    assert rows
    assert set(rows_of_space(space.program)) == rows


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_row_is_a_text_whose_network_is_this_row(case: Case, tmp_path: Path) -> None:
    """What a row says is enough to build what it is about, and every node of a network is in one of its rows."""
    graph = graph_of(case, samples(case, 1)[0])
    macs = 0
    known: dict[Row, int] = {}
    for use in uses(graph):
        if use.row not in known:
            alone = network(text_of(use.row), tmp_path)
            assert rows_of(alone) == (use.row,)
            known[use.row] = figures(alone).macs
        macs += known[use.row]
    assert macs == figures(graph).macs


@pytest.mark.parametrize("text", ["efficientvit_seg_b0", "segformer_b0"])
def test_a_row_with_products_of_matrices_is_such_a_text_too(text: str, tmp_path: Path) -> None:
    graph = load(str(PUBLISHED / f"{text}.arch"), size=(64, 64)).network()
    for row in rows_of(graph):
        assert rows_of(network(text_of(row), tmp_path)) == (row,)


def test_ops_are_rows_and_so_are_primitives_outside_of_ops(tmp_path: Path) -> None:
    graph = network(NET, tmp_path)
    assert [(use.path, str(use.row), use.row.body) for use in uses(graph)] == [
        ("stem.conv3x3", "`conv3x3` from 3x32x64 to 8x16x32", "x -> conv(c = 8, s = 2) -> bn -> relu"),
        ("wide.conv_bn_relu", "`conv_bn_relu` from 8x16x32 to 8x16x32", "x -> conv(c = 8) -> bn -> relu"),
        ("logits.concat", "`concat` from 8x16x32 and 8x16x32 to 16x16x32", "concat(x1, x2)"),
        ("logits.conv", "`conv` from 16x16x32 to 19x16x32", "x -> conv(c = 19, k = 1)"),
        ("logits.resize", "`resize` from 19x16x32 to 19x32x64", "x -> resize(factor = 2)"),
    ]


def test_equal_work_under_two_names_is_one_row(tmp_path: Path) -> None:
    (renamed,) = rows_of(network(NET.replace("conv_bn_relu(c, k = 3)", "conv3x3(c)"), tmp_path))[1:2]
    (as_it_was,) = rows_of(network(NET, tmp_path))[1:2]
    assert renamed == as_it_was
    assert renamed.op != as_it_was.op


def test_auxiliary_heads_need_no_rows(tmp_path: Path) -> None:
    text = NET.replace("  out logits", "  out aux deep = wide -> conv(7, k = 1) -> resize(2)\n  out logits")
    assert rows_of(network(text, tmp_path)) == rows_of(network(NET, tmp_path))


BRANCHES = """archdsl 1

use std

cell step() {
  in x
  choose width in {4, 8} per branch
  y = x -> pooled_conv3x3(width)
  out stay = y -> conv1x1(8)
  out down = y -> conv1x1(8, s = 2)
}

space net() {
  in image: 3x64x64
  stem = image -> conv3x3(8, s = 2)
  trunk = grid(layer in 1..2, scale in {2, 4}) {
    start [1][2] = stem
    choose source in {trunk[layer - 1][scale].stay, trunk[layer - 1][scale / 2].down} per branch
    each step(source)
  }
  branches a, b in trunk[2]
  out logits = concat(a.last, b.last -> resize(like = a.last)) -> conv(19, k = 1) -> resize(2)
}

genotype apart of net {
  a.trunk[1][2].width = 4
  b.trunk[1][2].width = 8
  a.trunk[2][2].width = 4
  b.trunk[2][4].width = 8
}
"""


def test_an_op_that_branches_share_in_part_is_a_whole_row_for_each(tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text(BRANCHES, encoding="utf-8")
    graph = load(f"{tmp_path / 'net.arch'}:apart").network()
    first = [use for use in uses(graph) if "trunk[1][2].y" in use.path]
    assert [(use.branches, use.row.gives) for use in first] == [(("a",), "4x32x32"), (("b",), "8x32x32")]
    assert set(rows_of(graph)) <= set(rows_of_space(load(f"{tmp_path / 'net.arch'}:net").program))


def test_fasterseg_has_five_widths_by_five_of_each_op() -> None:
    """Stay at 3 scales, down at 2: 5 places where an op differs, each with 5 * 5 widths."""
    space = load(str(Path(__file__).parents[2] / "spaces" / "fasterseg.arch"))
    rows = rows_of_space(space.program)
    assert len(rows) == 615
    assert sum(row.op == "zoomed_conv3x3_x2" for row in rows) == 5 * 25
    assert sum(row.op == "skip" for row in rows) == 2 * 25
