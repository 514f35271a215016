"""Labels of few bits, and classes that no label has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from archdsl.cli.main import run
from archdsl.data import BadData, open_data
from archdsl.train.evaluate import Confusion
from archdsl.train.typed_torch import load_file, save_file
from tests.data import folders
from tests.data.encodings import COLOURS, GREY, PALETTE, chunk, png
from tests.data.folders import HEIGHT, WIDTH
from tests.data.test_class_lists import laid_out, named
from tests.data.test_problems import problems
from tests.train.small import write_text

TWO = {"classes": [named(0, "background"), named(1, "thing")]}


@pytest.mark.parametrize("colour_type", [GREY, PALETTE])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_samples_are_their_numbers_whatever_their_bits(tmp_path: Path, bits: int, colour_type: int) -> None:
    values = [*range(min(1 << bits, 40))]
    classes = [named(i, f"c{i}") for i in values]
    laid_out(tmp_path, {"classes": classes}, values)
    palette = chunk(b"PLTE", bytes(37 * i % 256 for i in range(3 << bits)))
    label = png(folders.bands(values), bits, colour_type, *([palette] if colour_type == PALETTE else []))
    (tmp_path / "train" / "labels" / "one.png").write_bytes(label)

    data = open_data(f"camvid:{tmp_path}", thorough=True)

    assert data.splits["train"].read(0).label.tolist() == folders.bands(values).tolist()


def test_true_in_a_mask_of_one_bit_is_class_1(tmp_path: Path) -> None:
    laid_out(tmp_path, TWO, [0, 1])
    mask = folders.bands([0, 1, 0]).astype(bool)
    Image.fromarray(mask).save(tmp_path / "train" / "labels" / "one.png", bits=1)

    example = open_data(f"camvid:{tmp_path}", thorough=True).splits["train"].read(0)

    assert (example.label == mask).all()


def test_masks_of_0_and_255_are_told_from_two_classes(tmp_path: Path) -> None:
    said = (
        "`classes.json` has `thing`, which no label of `train` has: their values are 0, 255; "
        "write the value of each class in the labels as its `index` (255 is ignored unless it is one), "
        "or remove the class"
    )
    laid_out(tmp_path, TWO, [0, 255])

    assert problems("camvid", tmp_path, thorough=True) == [said]
    assert problems("camvid", tmp_path) == [said]


def test_a_rare_class_that_is_missing_is_a_finding_of_the_check_and_a_remark_to_a_training(tmp_path: Path) -> None:
    said = (
        "has `b`, which no label of `train` has: their values are 0, 2; "
        "write the value of each class in the labels as its `index` (255 is ignored unless it is one), "
        "or remove the class"
    )
    laid_out(tmp_path, {"classes": [named(0, "a"), named(1, "b"), named(2, "c")]}, [0, 2])

    assert problems("camvid", tmp_path, thorough=True) == [f"`classes.json` {said}"]
    assert open_data(f"camvid:{tmp_path}").remarks == {"train": (f"`{tmp_path}/classes.json` {said}",)}


def test_a_layout_with_fixed_classes_names_those_that_are_missing(tmp_path: Path) -> None:
    folders.segnet(tmp_path)
    for name in ("0001TP_006690", "0006R0_f00930"):
        folders.numbers(tmp_path / "trainannot" / f"{name}.png", [1, 2, 9, 10, 11])

    assert problems("camvid", tmp_path, thorough=True) == [
        (
            "`.` has `Sky`, `Road`, `Pavement` and 4 more, which no label of `train` has: their values are 1, 2, 9, "
            "10, 11; take the label files of this layout, or list your own classes in a `classes.json` (docs/data.md)"
        )
    ]


@pytest.mark.parametrize("classes", [[named(1, "thing")], [named(0, "void", ignore=True), named(1, "thing")]])
def test_one_class_is_nothing_to_learn(tmp_path: Path, classes: list[object]) -> None:
    laid_out(tmp_path, {"classes": classes}, [255, 1])

    assert problems("camvid", tmp_path) == [
        (
            "`classes.json` has one class that counts, `thing`: whatever is shown, the answer is right; "
            "list what is around it as a class too"
        )
    ]


def test_one_folder_of_images_is_nothing_to_learn(tmp_path: Path) -> None:
    folders.picture(tmp_path / "train" / "cats" / "a.png")

    assert problems("folder", tmp_path) == [
        (
            "`train` has the folder of one class alone, `cats`: whatever is shown, the answer is right; "
            "add those of the others"
        )
    ]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (png(np.zeros((HEIGHT, WIDTH, 3), np.uint8), 8, COLOURS), "has mode RGB, and labels are one channel"),
        (png(np.zeros((HEIGHT, WIDTH), np.uint16), 16, GREY), "has mode I;16, and labels are one channel"),
    ],
)
def test_labels_of_other_kinds_are_refused(tmp_path: Path, label: bytes, said: str) -> None:
    laid_out(tmp_path, TWO, [0, 1])
    (tmp_path / "train" / "labels" / "one.png").write_bytes(label)

    assert said in problems("camvid", tmp_path)[0]


def test_a_label_that_is_a_jpeg_is_refused_for_its_numbers_are_changed(tmp_path: Path) -> None:
    laid_out(tmp_path, TWO, [0, 1])
    Image.fromarray(folders.bands([0, 1])).save(tmp_path / "train" / "labels" / "one.png", "JPEG")

    assert problems("camvid", tmp_path)[0] == (
        "`train/labels/one.png` is a JPEG file, and labels are PNG files; "
        "write it as a PNG from the numbers that it was made of"
    )


def test_a_training_on_masks_of_0_and_255_is_not_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid_out(tmp_path, TWO, [0, 255])
    given = ["--data", f"camvid:{tmp_path}", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert run(["train", str(write_text(tmp_path)), *given, "--iterations", "1", "--batch", "1"]) == 1
    assert "has `thing`, which no label of `train` has: their values are 0, 255" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_check_says_so_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid_out(tmp_path, TWO, [0, 255])

    assert run(["data", "check", f"camvid:{tmp_path}", "--format", "json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["path"] == f"{tmp_path}/classes.json"
    assert problem["help"].startswith("write the value of each class in the labels as its `index`")


def test_bad_data_names_one_problem_in_one_line(tmp_path: Path) -> None:
    laid_out(tmp_path, TWO, [0, 255])

    with pytest.raises(BadData) as found:
        open_data(f"camvid:{tmp_path}")
    assert str(found.value).startswith(f"camvid:{tmp_path}: `{tmp_path}/classes.json` has `thing`")


def test_a_score_over_one_class_is_said_to_be_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid_out(tmp_path, TWO, [0, 1])
    folders.picture(tmp_path / "val" / "images" / "two.png")
    folders.numbers(tmp_path / "val" / "labels" / "two.png", [0])
    text = write_text(tmp_path)
    data = ["--data", f"camvid:{tmp_path}", "--device", "cpu"]

    assert run(["train", str(text), *data, "--out", str(tmp_path / "run"), "--iterations", "1", "--batch", "1"]) == 0
    zeros = {name: torch.zeros_like(each) for name, each in load_file(tmp_path / "run" / "last.safetensors").items()}
    save_file(zeros, tmp_path / "zeros.safetensors")  # every pixel is of the first class
    capsys.readouterr()

    weights = ["--weights", str(tmp_path / "zeros.safetensors"), "--set", "classes=2", "--split", "val"]
    assert run(["eval", str(text), *data, *weights]) == 0
    *_, mean, _, foot = capsys.readouterr().out.splitlines()
    assert mean.split()[:2] == ["mean", "100.00"]
    assert foot == (
        "  100.00 % of the pixels are right; "
        "the mean is that of `background` alone, as no label or prediction has another class"
    )


def test_scores_of_a_training_say_over_how_many_classes_they_are() -> None:
    found = Confusion(3)
    found.add(torch.tensor([0, 0]), torch.tensor([0, 0]))
    assert found.scores().text == "mIoU 100.00 %, accuracy 100.00 %, over 1 of 3 classes"

    found.add(torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert found.scores().text == "mIoU 100.00 %, accuracy 100.00 %"


def test_scores_of_whole_images_say_so_too() -> None:
    found = Confusion(2)
    found.add_images(torch.tensor([[2.0, 1.0]]), torch.tensor([0]))
    assert found.scores().text == "top-1 100.00 %, top-5 100.00 %, over 1 of 2 classes"


def test_images_of_one_class_alone_are_said_to_be_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split, name in (("train", "cat"), ("train", "dog"), ("val", "cat")):
        folders.picture(tmp_path / "data" / split / name / "a.png")
    text = tmp_path / "kind.arch"
    text.write_text(
        "archdsl 1\n\nspace kind(classes = 2) {\n  in image: 3x32x64\n"
        "  stem = image -> conv(c = classes)\n  out kinds = stem -> global_avg_pool\n}\n"
    )
    data = ["--data", f"folder:{tmp_path / 'data'}", "--size", "32x64", "--device", "cpu"]
    assert run(["train", str(text), *data, "--out", str(tmp_path / "run"), "--iterations", "1", "--batch", "1"]) == 0
    assert run(["eval", str(tmp_path / "run"), *data, "--split", "val"]) == 0
    assert "all images are of `cat` alone" in capsys.readouterr().out
