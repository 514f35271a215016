"""What a difference says of edits that people make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from archdsl.diff import Change, as_data, as_text, diff
from archdsl.space import NodePath
from tests.diff.sides import SPACE, STUDENT, TEACHER, edited, of_graph, side_of
from tests.graphs import Sketch, small_network

GOLDEN = Path(__file__).parent / "golden"
AN_EDIT = (
    ("trunk[4][8].operator = zoomed_conv3x3_x2", "trunk[4][8].operator = conv3x3"),
    ("trunk[11][16].width = 8", "trunk[11][16].width = 4"),
    ("a.path = trunk[1..13][8], trunk[14..16][16]", "a.path = trunk[1..12][8], trunk[13..16][16]"),
    ("trunk[12..13][8]", "trunk[12][8]"),
)
"""An operator, a width and a path."""


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_the_page_of_an_operator_a_width_and_a_path(tmp_path: Path) -> None:
    assert as_text(diff(side_of(STUDENT), side_of(edited(tmp_path, *AN_EDIT)))) == golden("edit")


def test_the_page_of_student_and_teacher() -> None:
    assert as_text(diff(side_of(STUDENT), side_of(TEACHER))) == golden("student_teacher")


def test_layout_and_comments_do_not_count(tmp_path: Path) -> None:
    path = edited(tmp_path, ("  a = 16\n", "\n\n  # the finer one\n  a   =   16   # at 1/16\n"))
    difference = diff(side_of(STUDENT), side_of(path))
    assert not difference
    assert as_text(difference) == "fasterseg_student  (of fasterseg)\n\n  = no difference: 23 cells\n"


def test_a_change_of_candidates_is_told_once_for_all_places(tmp_path: Path) -> None:
    edited(tmp_path, space=(("zoomed_conv3x3, conv3x3_x2,", "zoomed_conv3x3, sep_conv3x3,"),))
    difference = diff(side_of(SPACE), side_of(tmp_path / "fasterseg.arch"))
    assert len(difference.questions) == 45
    rows = [line for line in as_text(difference).splitlines() if " and 44 more" in line]
    assert len(rows) == 2
    assert difference.totals is None


def test_networks_of_different_spaces_are_compared_by_cells(tmp_path: Path) -> None:
    renamed = (("space fasterseg(", "space other("), ("-> resize(8, align_corners = yes)", "-> resize(8)"))
    path = edited(tmp_path, ("of fasterseg(", "of other("), space=renamed)
    page = as_text(diff(side_of(STUDENT), side_of(path)))
    assert page.startswith("fasterseg_student  (of fasterseg -> of other)\n")
    assert "logits  ~ parameters  resize(align_corners = yes)  ->  resize(align_corners = no)" in page
    assert "22 of 23 cells unchanged" in page


def test_a_space_and_its_genotype_differ_in_answers_alone() -> None:
    difference = diff(side_of(SPACE), side_of(STUDENT))
    page = as_text(difference)
    assert "  b              + path" in page
    assert "removed" not in page
    assert difference.totals is None
    assert all(not cell.cost for cell in difference.cells)


def test_the_order_of_commutative_inputs_does_not_count() -> None:
    def network(*, swapped: bool, op: str) -> Sketch:
        sketch = Sketch()
        image = sketch.image(3, 16, 16)
        left = sketch.conv_bn_relu("left.conv3x3", image, c=4)
        right = sketch.conv_bn_relu("right.conv3x3", image, c=4)
        sketch.result("y", sketch.apply("join.both", op, *((right, left) if swapped else (left, right))))
        return sketch

    def changes(op: str) -> set[str]:
        before, after = (of_graph(network(swapped=swapped, op=op).graph()) for swapped in (False, True))
        return {cell.path for cell in diff(before, after).cells if cell.change is not Change.SAME}

    assert changes("add") == set()
    assert changes("concat") == {"join"}


def test_a_renamed_cell_is_found_by_what_it_computes_or_by_its_neighbours() -> None:
    def network(name: str, channels: int) -> Sketch:
        sketch = Sketch()
        stem = sketch.conv_bn_relu("stem.conv3x3", sketch.image(3, 16, 16), c=8, s=2)
        inner = sketch.conv_bn_relu(f"{name}.conv3x3", stem, c=channels)
        sketch.result("y", sketch.apply("head.conv", "conv", inner, c=2, k=1))
        return sketch

    def renamed(after: Sketch) -> dict[str | None, tuple[str | None, Change]]:
        found = diff(of_graph(network("old", 8).graph()), of_graph(after.graph())).cells
        return {cell.before: (cell.after, cell.change) for cell in found if cell.renamed}

    same_definition = network("new", 8)
    assert renamed(same_definition) == {}, "another definition is another cell"
    assert renamed(_defined_alike(network("new", 8))) == {"old": ("new", Change.SAME)}
    assert renamed(_defined_alike(network("new", 12))) == {"old": ("new", Change.CHANGED)}


def _defined_alike(sketch: Sketch) -> Sketch:
    """With the cell called `new` made an instance of `old`."""
    for path, (node, inputs) in sketch.nodes.items():
        frames = tuple(replace(each, definition="old") if each.name == "new" else each for each in node.frames)
        sketch.nodes[path] = (replace(node, location=NodePath(frames, node.local)), inputs)
    return sketch


def test_a_cell_that_is_left_out_is_removed_and_its_cost_with_it() -> None:
    sketch = Sketch("small")
    image = sketch.image(3, 64, 96)
    sketch.result("logits", sketch.conv_bn_relu("stem.conv_bn_relu", image, c=8, s=2))
    difference = diff(of_graph(small_network()), of_graph(sketch.graph()))
    changes = {cell.path: cell for cell in difference.cells}
    assert changes["context"].change is Change.REMOVED
    assert changes["context"].cost.params < 0
    assert changes["stem"].change is Change.CHANGED


def test_data_says_all_that_the_page_says(tmp_path: Path) -> None:
    after = side_of(edited(tmp_path, *AN_EDIT))
    data = as_data(diff(side_of(STUDENT), after))
    assert after.figures is not None
    assert data["format_version"] == 1
    assert data["different"] is True
    assert data["before"] == {
        "name": "fasterseg_student",
        "space": "fasterseg",
        "hash": side_of(STUDENT).program.hash,
        "closed": True,
    }
    answers = data["answers"]
    assert isinstance(answers, list)
    assert {
        "path": "trunk[11][16].width",
        "kind": "width",
        "before": ["8"],
        "after": ["4"],
        "channels": ["128", "64"],
    } in answers
    assert data["totals"] == {
        "before": {"params": 3_421_875, "macs": 27_770_486_784, "activations": 269_516_800},
        "after": {
            "params": after.figures.params,
            "macs": after.figures.macs,
            "activations": after.figures.activations,
        },
    }
