"""`classes.json`: which value of the label files is which class, and what a list cannot say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archdsl.data import Data, open_data
from tests.data import folders
from tests.data.test_problems import problems


def named(index: int, name: str, **more: Any) -> dict[str, Any]:
    return {"index": index, "name": name, "color": [index, 0, 0], **more}


def laid_out(root: Path, listed: object, values: list[int], *, before: bytes = b"") -> Path:
    """A folder with one image, whose label has these values."""
    text = listed if isinstance(listed, str) else json.dumps(listed)
    (root / "classes.json").write_bytes(before + text.encode())
    folders.picture(root / "train" / "images" / "one.png")
    folders.numbers(root / "train" / "labels" / "one.png", values)
    return root


def read(root: Path) -> tuple[Data, list[int]]:
    """The data, and the classes of the bands of its one label."""
    data = open_data(f"camvid:{root}", thorough=True)
    label = data.splits["train"].read(0).label
    assert (label == label[0]).all()
    row: list[int] = label[0].tolist()
    return data, [each for i, each in enumerate(row) if not i or each != row[i - 1]]


@pytest.mark.parametrize(
    ("classes", "values", "names", "expected"),
    [
        pytest.param(
            [named(0, "void", ignore=True), named(1, "a"), named(2, "b")],
            [0, 1, 2, 255],
            ("a", "b"),
            [255, 0, 1, 255],
            id="void first",
        ),
        pytest.param(
            [named(0, "a"), named(1, "void", ignore=True), named(2, "b")],
            [0, 1, 2],
            ("a", "b"),
            [0, 255, 1],
            id="void in the middle",
        ),
        pytest.param(
            [named(0, "a"), named(1, "b"), named(255, "void", ignore=True)],
            [255, 1, 0],
            ("a", "b"),
            [255, 1, 0],
            id="void last",
        ),
        pytest.param(
            [named(0, "void", ignore=True), named(1, "a"), named(2, "b"), named(3, "void", ignore=True)],
            [3, 2, 1, 0],
            ("a", "b"),
            [255, 1, 0, 255],
            id="void twice",
        ),
        pytest.param([named(0, "a"), named(255, "b")], [0, 255], ("a", "b"), [0, 1], id="masks of 0 and 255"),
        pytest.param([named(255, "b"), named(0, "a")], [0, 255], ("a", "b"), [0, 1], id="in any order"),
        pytest.param([named(7, "a"), named(254, "b")], [254, 7], ("a", "b"), [1, 0], id="numbers with gaps"),
    ],
)
def test_classes_are_numbered_in_the_order_of_their_values(
    tmp_path: Path, classes: list[object], values: list[int], names: tuple[str, ...], expected: list[int]
) -> None:
    data, found = read(laid_out(tmp_path, {"classes": classes}, values))

    assert data.classes.names == names
    assert found == expected


def test_a_byte_order_mark_is_no_part_of_the_list(tmp_path: Path) -> None:
    data, _ = read(laid_out(tmp_path, {"classes": [named(0, "a"), named(1, "b")]}, [0, 1], before=b"\xef\xbb\xbf"))

    assert data.classes.names == ("a", "b")


LONG = "a" * 1_000_000


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        pytest.param("{", ["cannot be read: no JSON: EOF while parsing an object at line 1 column 1"], id="no JSON"),
        pytest.param(
            "[" * 100_000, ["cannot be read: no JSON: recursion limit exceeded at line 1 column 202"], id="deep"
        ),
        pytest.param("[]", ["cannot be read: what stands in it has to be an object"], id="no object"),
        pytest.param("{}", ["cannot be read: `classes` is missing"], id="nothing"),
        pytest.param({"classes": []}, ["has no class that counts"], id="no class"),
        pytest.param({"classes": [named(0, "a", ignore=True)]}, ["has no class that counts"], id="all ignored"),
        pytest.param(
            {"classes": [named(0, "a"), named(1, "b"), named(1, "c")]},
            ["gives the index 1 twice, to `b` and to `c`"],
            id="an index twice",
        ),
        pytest.param(
            {"classes": [named(0, "a"), named(1, "a")]}, ["gives the name `a` twice, to 0 and to 1"], id="a name twice"
        ),
        pytest.param(
            {"classes": [named(0, "a") | {"color": [300, 0, 0]}, named(1, "b") | {"color": [0, 0, -1]}]},
            [
                "has a mistake in `classes[1]`: `color[1]` has to be at most 255",
                "has a mistake in `classes[2]`: `color[3]` has to be at least 0",
            ],
            id="bad colours",
        ),
        pytest.param(
            {"classes": [named(0, "a") | {"color": [0, 0]}, named(4, "b") | {"index": 256}]},
            [
                "has a mistake in `classes[1]`: `color[3]` is missing",
                "has a mistake in `classes[2]`: `index` has to be at most 255",
            ],
            id="two colours, a large index",
        ),
        pytest.param(
            {"classes": [named(0, "a") | {"index": True}, named(1, "b") | {"index": 1.0}, named(2, "c", ignore="no")]},
            [
                "has a mistake in `classes[1]`: `index` has to be a valid integer",
                "has a mistake in `classes[2]`: `index` has to be a valid integer",
                "has a mistake in `classes[3]`: `ignore` has to be a valid boolean",
                "has no class that counts",
            ],
            id="other types",
        ),
        pytest.param(
            '{"classes": [{"index": 0, "index": 1, "name": "a", "color": [0, 0, 0]}]}',
            ["cannot be read: `classes[1].index` stands there twice"],
            id="a field twice",
        ),
        pytest.param(
            {"classes": [{"name": "a", "color": [0, 0, 0]}]},
            ["has a mistake in `classes[1]`: `index` is missing", "has no class that counts"],
            id="no index",
        ),
        pytest.param(
            {"classes": [named(0, LONG), named(1, "b")]},
            ["has a name of 1,000,000 letters at index 0, and 100 are the most"],
            id="a name of a million letters",
        ),
        pytest.param(
            {"classes": [named(0, "a" * (1 << 20))]}, ["cannot be read: it has more than 1 MiB"], id="a long file"
        ),
        pytest.param(
            {"classes": [named(0, " "), named(1, "a\x1b[2J"), named(2, "a\nb", ignore=True)]},
            [f"has no readable name at index {i}" for i in range(3)],
            id="names that cannot be read",
        ),
        pytest.param(
            {"classes": [named(0, "a"), named(1, "b", ignored=True)]},
            ["has `ignored` at index 1, which is no word of it"],
            id="a word that is near",
        ),
        pytest.param(
            {"classes": [named(0, "a"), named(1, "b")], "splits": {"validation": 3}},
            ["has a mistake in `splits`: `validation` is not known here"],
            id="another split",
        ),
        pytest.param(
            {"classes": [named(0, "a"), named(1, "b")], "splits": {"train": -1}},
            ["has a mistake in `splits`: `train` has to be at least 0"],
            id="fewer than no images",
        ),
        pytest.param(
            {"classes": [named(i, f"c{i}") for i in range(256)]},
            ["has 256 classes that count, and 254 are the most"],
            id="too many",
        ),
    ],
)
def test_what_a_list_cannot_say(tmp_path: Path, listed: object, said: list[str]) -> None:
    found = problems("camvid", laid_out(tmp_path, listed, [0, 1]), thorough=True)

    assert [each.partition("; ")[0] for each in found] == [f"`classes.json` {each}" for each in said]
    assert all(len(each) < 400 for each in found)


def test_a_list_in_another_encoding(tmp_path: Path) -> None:
    laid_out(tmp_path, {"classes": []}, [0])
    (tmp_path / "classes.json").write_text('{"classes": []}', encoding="utf-16")

    assert problems("camvid", tmp_path)[0].startswith("`classes.json` cannot be read: no JSON: ")


def test_files_are_looked_into_where_the_list_has_mistakes(tmp_path: Path) -> None:
    laid_out(tmp_path, {"classes": [named(0, "a"), named(0, "b")]}, [0, 77])
    folders.picture(tmp_path / "train" / "images" / "two.png").write_bytes(b"")

    assert [each.partition("; ")[0] for each in problems("camvid", tmp_path, thorough=True)] == [
        "`classes.json` gives the index 0 twice, to `a` and to `b`",
        "`train/images/two.png` is empty",
        "`train/images/two.png` has no label: there is no `train/labels/two.png`",
    ]


def test_mistakes_that_leave_the_values_certain_hide_no_others(tmp_path: Path) -> None:
    classes = [named(0, "a") | {"color": [300, 0, 0]}, named(1, "\n"), named(2, "c")]
    laid_out(tmp_path, {"classes": classes, "splits": {"train": 2}}, [0, 1, 77])

    assert [each.partition("; ")[0] for each in problems("camvid", tmp_path, thorough=True)] == [
        "`classes.json` has a mistake in `classes[1]`: `color[1]` has to be at most 255",
        "`classes.json` has no readable name at index 1",
        "`train/images` holds 1 image, and `classes.json` says 2",
        "`train/labels/one.png` has the value 77 in 672 pixels, outside of the classes",
        "`classes.json` has `c`, which no label of `train` has: their values are 0, 1, 77",
    ]


def test_the_label_is_drawn_in_the_colours_of_the_list(tmp_path: Path) -> None:
    from archdsl.data.sheet import overlay

    classes = [named(0, "void", ignore=True), named(4, "a") | {"color": [255, 255, 255]}, named(9, "b")]
    data, _ = read(laid_out(tmp_path, {"classes": classes}, [0, 4, 9]))

    example = data.splits["train"].read(0)
    painted = overlay(example.image, example.label.astype(np.uint8), data.classes, 1.0)
    assert painted[0, [0, 32, 63]].tolist() == [[0, 0, 0], [255, 255, 255], [9, 0, 0]]
