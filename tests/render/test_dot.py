"""DOT of small pictures, read through and kept: a change of a picture has to be looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.render import Box, Line, Picture, Text, draw
from archdsl.render.engine.dot import write
from archdsl.render.views.legends import named_sets, set_legend
from tests.render.items import HYPER, HYPER_ANSWERED, SPACE, STUDENT, TEXTS, loaded

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("file", "item", "cell"),
    [
        ("searchable_open", SPACE, "searchable"),
        ("searchable_closed", STUDENT, "b.trunk[11][16]"),
        ("refined", STUDENT, "refined"),
        ("conv3x3", STUDENT, "conv3x3"),
        ("zoomed_conv3x3_x2", STUDENT, "zoomed_conv3x3_x2"),
        ("skip_down", SPACE, "trunk[1][8].down.skip"),
        ("aggregation", HYPER_ANSWERED, "aggregation"),
        ("aggregation_open", HYPER, "aggregation"),
        ("hyper_cells", HYPER_ANSWERED, None),
        ("independent_cells", TEXTS / "chain.arch:chain12_mixed", "trunk"),
    ],
)
def test_a_picture_is_drawn_as_it_was_reviewed(file: str, item: Path, cell: str | None) -> None:
    assert write(draw(loaded(item), cell=cell)) == (GOLDEN / f"{file}.dot").read_text("utf-8")


def test_names_are_quoted_for_graphviz_and_labels_for_html() -> None:
    boxes = (Box('a"b\\', (Text("x < y & z"),)), Box("c", (Text("d", 8, bold=True),)))
    text = write(Picture("p", boxes, (Line('a"b\\', "c"),)))
    assert r'"a\"b\\" [label=<x &lt; y &amp; z>' in text
    assert r'"a\"b\\" -> "c"' in text
    assert '<B><FONT POINT-SIZE="8">d</FONT></B>' in text


def test_a_long_set_of_candidates_stands_in_the_legend(tmp_path: Path) -> None:
    ops = ", ".join(f"dil_conv3x3(d = {d})" for d in range(1, 11))
    space = tmp_path / "s.arch"
    space.write_text(
        "archdsl 1\n\nuse std\n\n"
        f"ops many = {{{ops}}}\n\n"
        "cell one(c) {\n  in x\n  out x -> many(c = c)\n}\n\n"
        "space s() {\n  in image: 3x64x64\n  y = one(image, c = 8)\n  out logits = y -> conv(2, k = 1)\n}\n",
        "utf-8",
    )
    text = write(draw(loaded(space), cell="one"))
    assert "A?" in text
    assert re.search(r"A\? one of dil_conv3x3\(d = 1\), dil_conv3x3", text)


def test_every_set_of_candidates_has_a_name_of_its_own() -> None:
    sets = [tuple(f"op{number}_{candidate}" for candidate in range(9)) for number in range(26 + 26 * 26 + 2)]
    names = list(named_sets(sets).values())
    assert len(set(names)) == len(sets)
    assert [names[at] for at in (0, 25, 26, 27, 51, 52, 701, 702, 703)] == [
        *("A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA", "AAB")
    ]
    shown = {line.text.partition("?")[0] for line in set_legend(named_sets(sets)) if "? one of" in line.text}
    assert shown == set(names)
