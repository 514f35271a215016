"""Whatever is wrong with a folder is said before anything is trained, all of it, in words that help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl.data import BadData, open_data
from archdsl.data.problems import NoData
from tests.data import folders


def problems(written: str, root: Path, *, thorough: bool = False) -> list[str]:
    """What is said of a folder, its path left out."""
    with pytest.raises(BadData) as found:
        open_data(f"{written}:{root}", thorough=thorough)
    return [str(problem).replace(f"{root}/", "").replace(str(root), ".") for problem in found.value.problems]


def _missing_label(root: Path) -> None:
    (root / "trainannot" / "0001TP_006690.png").unlink()


def _missing_image(root: Path) -> None:
    (root / "val" / "0016E5_07959.png").unlink()
    folders.picture(root / "val" / "0016E5_07961.png")
    folders.numbers(root / "valannot" / "0016E5_07961.png", [1])


def _truncated_image(root: Path) -> None:
    file = root / "train" / "0001TP_006690.png"
    file.write_bytes(file.read_bytes()[:-400])


def _truncated_jpeg(root: Path) -> None:
    file = root / "train" / "0001TP_006690.png"
    image = Image.open(file)
    image.load()
    file.unlink()
    image.save(file.with_suffix(".jpg"))
    file.with_suffix(".jpg").write_bytes(file.with_suffix(".jpg").read_bytes()[:-40])


def _truncated_label(root: Path) -> None:
    file = root / "testannot" / "Seq05VD_f00000.png"
    file.write_bytes(file.read_bytes()[:-20])


def _empty(root: Path) -> None:
    (root / "train" / "0001TP_006690.png").write_bytes(b"")


def _no_picture(root: Path) -> None:
    (root / "train" / "0001TP_006690.png").write_text("<html>404</html>")


def _small_label(root: Path) -> None:
    folders.numbers(root / "trainannot" / "0001TP_006690.png", [0], size=(16, 32))


def _odd_size(root: Path) -> None:
    folders.picture(root / "train" / "0001TP_006690.png", size=(16, 32))
    folders.numbers(root / "trainannot" / "0001TP_006690.png", [0], size=(16, 32))


def _outside(root: Path) -> None:
    folders.numbers(root / "trainannot" / "0001TP_006690.png", [0, 12, 13, 14, 200])


def _colours(root: Path) -> None:
    folders.picture(root / "trainannot" / "0001TP_006690.png")


def _twice(root: Path) -> None:
    folders.picture(root / "train" / "0001TP_006690.jpg")


def _listed(root: Path) -> None:
    (root / "val.txt").write_text("val/0016E5_07963.png\n")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            _missing_label,
            (
                "`train/0001TP_006690.png` has no label: there is no `trainannot/0001TP_006690.png`; "
                "add it, or remove the image"
            ),
        ),
        (
            _twice,
            "`train/0001TP_006690.png` has the same name as `train/0001TP_006690.jpg`; remove one of the two",
        ),
        (_missing_image, "`valannot/0016E5_07959.png` has no image; add it, or remove the label"),
        (_truncated_image, "`train/0001TP_006690.png` is truncated; copy it again from where it came"),
        (_truncated_jpeg, "`train/0001TP_006690.jpg` is truncated; copy it again from where it came"),
        (_truncated_label, "`testannot/Seq05VD_f00000.png` is truncated; copy it again from where it came"),
        (_empty, "`train/0001TP_006690.png` is empty; copy it again from where it came"),
        (_no_picture, "`train/0001TP_006690.png` is not an image, or damaged; copy it again from where it came"),
        (
            _small_label,
            (
                "`trainannot/0001TP_006690.png` is 16x32, and its image `train/0001TP_006690.png` 32x64; "
                "a label has its image's height and width"
            ),
        ),
        (_odd_size, "`train/0001TP_006690.png` is 16x32, and 3 others are 32x64; give a size to scale all to"),
        (
            _outside,
            (
                "`trainannot/0001TP_006690.png` has the values 12, 13, 14 and 1 more in 1,632 pixels, "
                "outside of the classes; take the label files of this layout"
            ),
        ),
        (
            _colours,
            (
                "`trainannot/0001TP_006690.png` has mode RGB, and labels are one channel of at most 8 bits; "
                "write the number of each pixel's class as a PNG of one channel"
            ),
        ),
        (
            _listed,
            "`val.txt` lists `0016E5_07963`, which does not exist; add it, or remove the line",
        ),
    ],
    ids=lambda value: value.__name__.removeprefix("_") if callable(value) else "",
)
def test_a_file_that_is_wrong(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    harm(folders.segnet(tmp_path))

    assert problems("camvid", tmp_path) == [said]


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    folders.segnet(tmp_path)
    _missing_label(tmp_path)
    _truncated_label(tmp_path)
    _listed(tmp_path)

    assert len(problems("camvid", tmp_path)) == 3


def test_sizes_may_differ_where_all_are_scaled(tmp_path: Path) -> None:
    _odd_size(folders.segnet(tmp_path))

    split = open_data(f"camvid:{tmp_path}", size=(24, 48)).splits["train"]

    assert {split.read(i).image.shape for i in range(2)} == {(24, 48, 3)}


def test_damage_inside_of_an_image_is_found_by_decoding_all(tmp_path: Path) -> None:
    file = folders.segnet(tmp_path) / "train" / "0001TP_006690.png"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)

    open_data(f"camvid:{tmp_path}")
    assert problems("camvid", tmp_path, thorough=True) == [
        "`train/0001TP_006690.png` is not an image, or damaged; copy it again from where it came"
    ]


def test_what_changes_for_the_worse_after_the_check_is_named(tmp_path: Path) -> None:
    split = open_data(f"camvid:{folders.segnet(tmp_path)}").splits["train"]
    _truncated_image(tmp_path)

    with pytest.raises(BadData, match=r"0001TP_006690\.png` is truncated"):
        split.read(0)


def test_an_unknown_colour_of_the_original_camvid(tmp_path: Path) -> None:
    folders.picture(tmp_path / "images" / "0001TP_006690.png")
    folders.colours(tmp_path / "labels" / "0001TP_006690_L.png", [(128, 0, 0), (1, 2, 3)])

    assert problems("camvid", tmp_path) == [
        (
            "`labels/0001TP_006690_L.png` has the colour (1, 2, 3) in 1,024 pixels, outside of the classes; "
            "take the label files of this layout"
        ),
    ]


def test_cityscapes_without_the_labels_of_an_image_and_with_a_number_too_many(tmp_path: Path) -> None:
    folders.cityscapes(tmp_path)
    (tmp_path / "gtFine" / "train" / "aachen" / "aachen_000000_000019_gtFine_labelIds.png").unlink()
    folders.numbers(tmp_path / "gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelIds.png", [7, 34])
    folders.numbers(tmp_path / "gtFine/val/frankfurt/frankfurt_000000_000576_gtFine_labelTrainIds.png", [1])
    (tmp_path / "leftImg8bit" / "train" / "bochum" / "bochum_000000_000294_leftImg8bit.png").unlink()

    assert [each.partition(";")[0] for each in problems("cityscapes", tmp_path)] == [
        "`gtFine/train/bochum/bochum_000000_000294_gtFine_labelIds.png` has no image",
        "`gtFine/val/frankfurt/frankfurt_000000_000576_gtFine_labelTrainIds.png` has no image",
        (
            "`leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png` has no label: "
            "there is no `gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png`"
        ),
        (
            "`gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelIds.png` has the value 34 in 1,024 pixels, "
            "outside of the classes"
        ),
    ]


def test_bdd_with_panoptic_numbers_for_classes(tmp_path: Path) -> None:
    folders.bdd(tmp_path)
    folders.numbers(tmp_path / "labels/sem_seg/masks/train/0004a4c0-d4dff0ad.png", [7, 35])

    (said,) = problems("bdd", tmp_path)

    assert "has the value 35" in said


def test_folders_of_images(tmp_path: Path) -> None:
    folders.folder(tmp_path)
    (tmp_path / "train" / "n02084071").mkdir()
    folders.picture(tmp_path / "val" / "dogs" / "a.png")
    folders.picture(tmp_path / "val" / "ILSVRC2012_val_00000001.png")
    (tmp_path / "train" / "n01440764" / "a.png").write_bytes(b"")

    assert problems("folder", tmp_path) == [
        "`train/n02084071` holds no images; add some, or remove it",
        "`val` holds 1 image beside its folders; put each into the folder of its class",
        "`val/dogs` is a class that `train` does not have; remove it, or name it as there",
        "`train/n01440764/a.png` is empty; copy it again from where it came",
    ]


def test_a_training_split_is_needed(tmp_path: Path) -> None:
    folders.segnet(tmp_path)
    for file in (*(tmp_path / "train").iterdir(), *(tmp_path / "trainannot").iterdir(), tmp_path / "train.txt"):
        file.unlink()

    assert problems("camvid", tmp_path) == ["`.` has no images to train with; fill its `train`"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("camvd:here", "did you mean `camvid`? there are `camvid:PATH`, "),
        ("camvid", "`camvid` needs the folder that it is in; write `camvid:PATH`"),
        ("streets:here", "`here` is not used: streets are drawn, not read; write `streets`"),
        ("camvid:{root}/none", "`{root}/none` is not there; `{root}` holds `file.zip`, `other`"),
        ("bdd:{root}/file.zip", "`{root}/file.zip` is a file; give the folder; archives are unpacked first"),
        (
            "bdd:{root}/other",
            "`{root}/other` holds nothing; `bdd` expects `images/10k` and `labels/sem_seg/masks`, or ",
        ),
        ("cityscapes:{root}", "holds `file.zip`, `other`; `cityscapes` expects `leftImg8bit` and `gtFine`, "),
        ("cityscapes_coarse:{root}", "`cityscapes_coarse` expects `leftImg8bit` and `gtCoarse`, "),
        ("camvid:{root}", "`camvid` expects `classes.json` beside `train`, or `train` and `trainannot`, or "),
        ("folder:{root}", "`folder` expects `train`, and `val` and `test` if there are any, each with "),
    ],
)
def test_what_is_no_data_at_all(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "file.zip").touch()
    (tmp_path / "other").mkdir()

    with pytest.raises(NoData) as found:
        open_data(written.format(root=tmp_path))
    assert said.format(root=tmp_path) in str(found.value)


def test_a_name_of_any_letters_stays_on_its_line(tmp_path: Path) -> None:
    folders.segnet(tmp_path)
    folders.picture(tmp_path / "train" / "a\nb\x1b[2J.png")

    (said,) = problems("camvid", tmp_path)
    assert said.startswith("`train/a\\nb\\x1b[2J.png` has no label: there is no `trainannot/a\\nb\\x1b[2J.png`; ")


def test_a_message_stops_after_ten(tmp_path: Path) -> None:
    for number in range(14):
        folders.picture(tmp_path / "train" / f"a_{number}.png")

    with pytest.raises(BadData) as found:
        open_data(f"camvid:{_with_labels(tmp_path)}")
    lines = str(found.value).splitlines()

    assert len(found.value.problems) == 14
    assert lines[0] == f"camvid:{tmp_path} has 14 problems"
    assert lines[-1] == f"  and 4 more; `archdsl data check camvid:{tmp_path}` lists all"
    assert len(lines) == 12


def _with_labels(root: Path) -> Path:
    (root / "trainannot").mkdir()
    return root


def test_labels_of_16_bits_are_refused(tmp_path: Path) -> None:
    folders.segnet(tmp_path)
    Image.fromarray(np.zeros((32, 64), dtype=np.uint16)).save(tmp_path / "trainannot" / "0001TP_006690.png")

    assert "has mode I;16, and labels are one channel of at most 8 bits" in problems("camvid", tmp_path)[0]
