"""Hyper-cells, chains and several grids: what their pictures show."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from archdsl.pipeline import load
from archdsl.render import NothingToDraw, Picture, draw, render
from archdsl.render.model.picture import Dash, Text
from tests.render.items import HYPER, HYPER_ANSWERED, INDEPENDENT, ROOT, SPACE, STUDENT, TEXTS, counts, loaded

CHAIN = f"{TEXTS / 'chain.arch'}:chain12"
CHAIN_ANSWERED = f"{TEXTS / 'chain.arch'}:chain12_mixed"
GRIDS = f"{TEXTS / 'two_grids.arch'}:two_grids"
GRID_IN_CELLS = f"{TEXTS / 'grids_in_cells.arch'}:grids_in_cells"
GRIDS_ANSWERED = f"{TEXTS / 'two_grids.arch'}:two_grids_short"
MULTISCALE = f"{ROOT / 'spaces' / 'genotypes' / 'cas_gt.arch'}:cas_gt_mscell"
BISENET = ROOT / "spaces" / "bisenet.arch"

DRAWN = [
    (HYPER, None),
    (HYPER, "aggregation"),
    (HYPER_ANSWERED, None),
    (HYPER_ANSWERED, "h2"),
    (HYPER_ANSWERED, "normal@h3"),
    (INDEPENDENT, None),
    (INDEPENDENT, "trunk"),
    (CHAIN, None),
    (CHAIN_ANSWERED, None),
    (CHAIN_ANSWERED, "trunk"),
    (GRIDS, None),
    (GRIDS_ANSWERED, None),
    (MULTISCALE, None),
    (MULTISCALE, "multiscale"),
    (f"{TEXTS / 'hyper_in_cells.arch'}:hyper_in_cells_2", "stage"),
    (BISENET, None),
    (STUDENT, None),
    (SPACE, None),
]


def labels(picture: Picture) -> dict[str, list[str]]:
    return {box.name: [line.text for line in box.label] for box in picture.boxes}


def dashes(picture: Picture) -> dict[tuple[str, str], Dash]:
    return {(line.tail, line.head): line.stroke.dash for line in picture.lines}


@pytest.mark.parametrize(("item", "cell"), DRAWN)
def test_a_picture_has_no_box_twice_and_joins_only_its_boxes(item: Path | str, cell: str | None) -> None:
    picture = draw(loaded(item), cell=cell)
    names = Counter(box.name for box in picture.boxes)
    assert max(names.values()) == 1
    assert {end for line in picture.lines for end in (line.tail, line.head)} <= names.keys()
    assert {name for group in picture.groups for name in group.boxes} <= names.keys()


@pytest.mark.parametrize(("item", "cell"), DRAWN)
def test_every_picture_opens_and_its_bytes_are_the_same_twice(item: Path | str, cell: str | None) -> None:
    picture = draw(loaded(item), cell=cell)
    svg = render(picture, "svg")
    assert ET.fromstring(svg).tag.endswith("svg")
    assert svg == render(draw(loaded(item), cell=cell), "svg")
    width, height = Image.open(io.BytesIO(render(picture, "png"))).size
    assert 100 < width < 3000 and 100 < height < 2000


def test_an_answered_hyper_cell_has_its_exit_thick_and_what_lies_behind_it_dotted() -> None:
    picture = draw(loaded(HYPER_ANSWERED))
    boxes = {box.name: box for box in picture.boxes}
    dotted = {name for name, box in boxes.items() if box.stroke.dash is Dash.DOTTED}
    behind = {
        f"h{cell}[{n}]"
        for cell, taken, count in ((1, 1, 5), (2, 4, 10), (3, 7, 10))
        for n in range(taken + 1, count + 1)
    }
    assert dotted == behind
    exits = {(line.tail, line.head): line.stroke for line in picture.lines if line.head in ("h1", "h2", "h3")}
    assert {edge for edge, stroke in exits.items() if stroke.dash is Dash.SOLID} == {
        ("h1[1]", "h1"),
        ("h2[4]", "h2"),
        ("h3[7]", "h3"),
    }
    assert len(exits) == 25, "every exit of the space is shown"
    assert {group.name: group.heading[0].text for group in picture.groups}["h2"] == "h2: exit 4 of 10"


def test_a_hyper_cell_goes_on_with_its_exit_and_the_map_before() -> None:
    lines = {(line.tail, line.head): [text.text for text in line.label] for line in draw(loaded(HYPER_ANSWERED)).lines}
    assert lines["h2", "h3[1]"] == []
    assert lines["h2[3]", "h3[1]"] == [".prev"]
    assert ("s2", "h2[1]") in lines, "at exit 1 the map before is the hyper-cell's own second input"
    assert {tail for tail, head in lines if head == "joined.aggregation"} == {"h1", "h2", "h3"}


def test_a_space_marks_its_exits_as_open() -> None:
    picture = draw(loaded(HYPER))
    found = dashes(picture)
    assert all(found[f"h2[{n}]", "h2"] is Dash.DASHED for n in range(1, 11))
    assert labels(picture)["h1[2]"] == ["h1[2]", "normal@h1", "48 @ 1/8"]
    assert next(group for group in picture.groups if group.name == "h1").heading[0].text == "h1: which exit, 1 to 5?"
    assert [
        line.label[0].text for line in picture.lines if (line.tail, line.head) == ("h1", "h2[1]") and line.label
    ] == [".prev"]


def test_neighbours_with_equal_answers_are_one_box() -> None:
    boxes = labels(draw(loaded(CHAIN_ANSWERED)))
    assert boxes["trunk[1..4]"] == ["trunk[1..4] ×4", "step", "identity", "conv3x3", "16 @ 1/2"]
    assert "trunk[5]" in boxes
    assert {"trunk[6..10]", "trunk[11..12]"} <= boxes.keys(), "others read the tenth"
    assert {"trunk[1..10]", "trunk[11..12]"} <= labels(draw(loaded(CHAIN))).keys()


def test_neighbours_of_other_costs_stand_apart_where_costs_are_shown() -> None:
    item = loaded(CHAIN_ANSWERED)
    boxes = labels(draw(item, costs=counts(item)))
    assert boxes["trunk[1]"][-1] != boxes["trunk[3..4]"][-1]
    assert boxes["trunk[3..4]"][-1].startswith("2 × ")
    assert all("MACs" in boxes[name][-1] for name in ("trunk[1]", "trunk[3..4]"))


def test_the_cells_of_a_chain_stand_in_order_with_their_ops_on_the_edges() -> None:
    picture = draw(loaded(CHAIN_ANSWERED), cell="trunk")
    assert [group.name for group in picture.groups] == ["trunk[1..4]", "trunk[5]", "trunk[6..12]"]
    ops = {
        (line.tail, line.head): ([text.text for text in line.label], line.stroke.dash)
        for line in picture.lines
        if line.head.startswith("trunk[5]: ") and line.label
    }
    assert sorted(ops.values()) == [(["conv3x3"], Dash.SOLID), (["zero"], Dash.DOTTED)]


def test_the_rows_of_a_chain_read_from_the_top() -> None:
    root = ET.fromstring(render(draw(loaded(INDEPENDENT), cell="trunk"), "svg"))
    space = "{http://www.w3.org/2000/svg}"
    frames: dict[str, float] = {}
    for group in root.iter(f"{space}g"):
        title, text = group.find(f"{space}title"), group.find(f"{space}text")
        if title is not None and title.text and title.text.startswith("cluster ") and text is not None:
            frames[title.text.removeprefix("cluster ")] = float(text.attrib["y"])
    assert list(frames) == ["trunk[1]", "trunk[2..4]", "trunk[5]", "trunk[6..14]"]
    assert frames["trunk[1]"] < frames["trunk[6..14]"]


def test_a_cell_is_found_by_its_tag_and_by_its_chain() -> None:
    assert draw(loaded(HYPER_ANSWERED), cell="normal@h3").heading[0].text == "normal@h3"
    assert draw(loaded(HYPER_ANSWERED), cell="h2").heading[1].text == "exit 4; h2[5] to h2[10] lie behind it"
    with pytest.raises(NothingToDraw, match="did you mean `h3`"):
        draw(loaded(HYPER_ANSWERED), cell="h33")


def test_an_op_that_is_nothing_is_named_on_its_edge() -> None:
    texts = [text.text for line in draw(loaded(HYPER_ANSWERED), cell="normal@h2").lines for text in line.label]
    assert texts.count("identity") == 2


def test_candidates_keep_their_arguments() -> None:
    texts = {text.text for line in draw(loaded(HYPER_ANSWERED), cell="aggregation").lines for text in line.label}
    assert {"sep_conv3x3_x2(d = 2)", "sep_conv3x3_x2(d = 4)"} <= texts


def test_a_map_that_changes_its_shape_inside_a_pipe_stays_a_node() -> None:
    boxes = labels(draw(loaded(BISENET), cell="fusion"))
    assert ["64 @ 1x1"] in boxes.values(), "the bottleneck of the gate"


def test_sizes_of_images_that_are_one_more_than_a_multiple_are_parts_as_well() -> None:
    assert labels(draw(loaded(INDEPENDENT)))["trunk[1]"][-1] == "64 @ 1/8"


def test_every_grid_of_a_text_is_drawn_with_its_own_branches() -> None:
    picture = draw(loaded(GRIDS_ANSWERED))
    boxes = {box.name: box for box in picture.boxes}
    early, late = boxes["a.early[3][4]"].at, boxes["b.late[3][8]"].at
    assert early is not None and late is not None and late[1] < early[1]
    texts = [text.text for box in picture.boxes for text in box.label]
    assert texts.count("branch a") == texts.count("branch b") == 1
    assert ("late[2][4]", "b.late[3][8]") in dashes(picture)


def test_a_grid_inside_of_a_cell_shows_the_resolution_of_each_row() -> None:
    boxes = labels(draw(loaded(GRID_IN_CELLS)))
    rows = {name: label for name, label in boxes.items() if name.startswith("row ")}
    assert rows == {
        "row 2": ["1/2", "[2]"],
        "row 4": ["1/4", "[4]"],
        "row 2 (2)": ["1/4", "[2]"],
        "row 4 (2)": ["1/8", "[4]"],
    }


def test_json_is_the_picture_as_data() -> None:
    data = json.loads(render(draw(loaded(HYPER_ANSWERED)), "json"))
    assert data["format_version"] == 1
    boxes = {box["name"]: box for box in data["boxes"]}
    assert boxes["h2[4]"]["line"] == "solid" and boxes["h2[5]"]["line"] == "dotted"
    assert {"from": "h2[4]", "to": "h2", "label": [], "line": "solid"} in data["lines"]
    assert [group["name"] for group in data["groups"]] == ["h1", "h2", "h3"]


@pytest.mark.parametrize(
    ("answers", "drawn"),
    [
        ("trunk.exit = 2\n  trunk[1].operator = conv3x3\n  trunk[2].operator = identity", {"trunk[1]", "trunk[3]"}),
        ("trunk.exit = 1\n  trunk[1].operator = identity", set[str]()),
    ],
)
def test_a_cell_of_a_hyper_cell_that_does_nothing_is_not_drawn(answers: str, drawn: set[str], tmp_path: Path) -> None:
    text = """archdsl 1

use std

cell node(c) {
  in x
  choose operator in {conv3x3, identity}
  out x -> operator(c)
}

space net() {
  in image: 3x64x128
  stem = image -> conv3x3(8)
  trunk = hyper(stem) {
    each node(c = 8) * 3
  }
  out logits = trunk -> conv3x3(8)
}

genotype found of net {
  ANSWERS
}
"""
    file = tmp_path / "net.arch"
    file.write_text(text.replace("ANSWERS", answers), encoding="utf-8")
    picture = draw(load(f"{file}:found"))
    assert {box.name for box in picture.boxes if box.name.startswith("trunk[")} == drawn


@pytest.mark.parametrize("name", ["hyper_in_cells", "hyper_in_cells_2"])
def test_a_cell_that_holds_a_hyper_cell_is_drawn_with_what_enters_it_and_all_its_cells(name: str) -> None:
    picture = draw(loaded(f"{TEXTS / 'hyper_in_cells.arch'}:{name}"), cell="b.stage")
    cells = [f"b.stage.h[{number}]" for number in (1, 2, 3)]
    assert set(labels(picture)) == {"a.stage.h", *cells, "b.stage.h"}
    assert labels(picture)["a.stage.h"] == ["in", "a.stage.h", "8 @ 1/2"]
    assert {("a.stage.h", cells[0]), *((cell, "b.stage.h") for cell in cells)} <= set(dashes(picture))


def test_what_starts_a_grid_and_what_heads_read_of_it_is_joined_to_it() -> None:
    """Beginnings of a place that branches share are parts of their own: lines go to what the place gives."""
    found = draw(loaded(ROOT / "tests" / "texts" / "genotypes" / "auto_deeplab_found.arch"))
    lines = set(dashes(found))
    assert {("half", "net[1][4]"), ("stem", "net[1][4]"), ("way.net[3][4]", "fine")} <= lines
    assert labels(found)["way.net[12][8]"] == ["searchable", "400, 800 → 200"]
    space = draw(loaded(ROOT / "spaces" / "auto_deeplab.arch"))
    assert {("half", "net[1][4]"), ("stem", "net[1][4]")} <= set(dashes(space))


def test_candidates_that_name_a_map_beside_the_piped_one_stand_on_the_edge_of_the_piped_one() -> None:
    """`at(like = p4)` reads the pixels of `p4` too; a box for each would make a sheet of six thousand pixels."""
    picture = draw(loaded(TEXTS / "nas_fpn.arch"), cell="pyramid")
    assert len(picture.boxes) == 5 + 2 * 7
    choices = [line for line in picture.lines if any(text.text.endswith("?") for text in line.label)]
    assert len(choices) == sum(range(5, 12))
    legend = [line.text for line in picture.heading if line.text[1:3] == "? "]
    assert len(legend) == 5
    assert "A? one of sum_of(like = p6), attended(like = p6)" in legend


NESTED = """archdsl 1

use std

cell block(c) {
  in x
  out x -> conv3x3(c)
}

space nested() {
  in image: 3x32x64
  stem = image -> conv3x3(8)
  x = grid(column in 0..2, row in 0..2) {
    start [0][0] = stem
    finer = x[column][row - 1] -> max_pool(2, s = 2)
    coarser = x[column - 1][row + 1] -> conv3x3(8) -> resize(2)
    block(concat(x[0..(column - 1)][row], finer, coarser), c = 8)
  }
  out logits = x[2][0] -> conv(4)
}
"""
"""UNet++ (Zhou et al., 2018): a grid whose places name what they read."""


@pytest.mark.parametrize(
    "block", ["out x -> conv3x3(c)", "choose operator in {conv3x3, conv1x1}\n  out x -> operator(c)"]
)
def test_a_grid_without_branches_shows_what_its_places_read(block: str, tmp_path: Path) -> None:
    (tmp_path / "nested.arch").write_text(NESTED.replace("out x -> conv3x3(c)", block))
    item = load(str(tmp_path / "nested.arch"))
    picture = draw(item)
    lines = set(dashes(picture))
    needed = {"x[0][0]", "x[0][1]", "x[0][2]", "x[1][0]", "x[1][1]", "x[2][0]"}
    assert {("stem", "x[0][0]"), ("x[2][0]", "logits"), ("x[0][0]", "x[2][0]"), ("x[1][1]", "x[2][0]")} <= lines
    assert {tail for tail, _ in lines} - {"image", "stem"} >= needed
    rows = {box.name: [line.text for line in box.label] for box in picture.boxes if box.name.startswith("row ")}
    assert rows == {"row 0": ["1/1", "[0]"], "row 1": ["1/2", "[1]"], "row 2": ["1/4", "[2]"]}
    assert render(picture, "svg")


def test_a_long_name_is_cut_where_a_box_is_full(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = (TEXTS / "two_grids.arch").read_text()
    long = "middle_of_two_grids_that_has_a_longer_name_than_boxes"
    (tmp_path / "long.arch").write_text(text.replace("middle", long))
    picture = draw(load(f"{tmp_path / 'long.arch'}:two_grids"))
    assert [line.text for line in named(picture, long)] == ["middle_of_two", "_grids_that_has…"]
    assert render(picture, "svg")
    assert capfd.readouterr().err == ""


def named(picture: Picture, name: str) -> tuple[Text, ...]:
    return next(box.label for box in picture.boxes if box.name == name)
