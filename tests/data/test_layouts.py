"""Each layout is read as its makers laid it out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl.data import BadData, open_data
from archdsl.data.camvid import usual_split
from archdsl.data.camvid_classes import ELEVEN, ORIGINAL
from archdsl.data.cityscapes import LABEL_IDS
from tests.data import folders
from tests.data.folders import CAMVID

# labels.py of cityscapesScripts: of each number its training id.
PUBLISHED = [255] * 7 + [0, 1, 255, 255, 2, 3, 4, 255, 255, 255, 5, 255, *range(6, 16), 255, 255, 16, 17, 18]


def test_segnets_camvid(tmp_path: Path) -> None:
    data = open_data(f"camvid:{folders.segnet(tmp_path)}")
    label = data.splits["train"].read(0).label

    assert [len(data.splits[name]) for name in ("train", "val", "test")] == [2, 1, 1]
    assert data.splits["train"].names == ("0001TP_006690", "0006R0_f00930")
    assert data.splits["train"].groups == ("0001TP", "0006R0")
    assert label.tolist() == folders.bands([*range(11), 255]).tolist()


def test_a_compact_copy_whose_palette_is_not_looked_at(tmp_path: Path) -> None:
    classes = [{"index": i, "name": f"c{i}", "color": [i, 0, 0], "ignore": i == 2} for i in range(3)]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": classes, "splits": {"train": 1}}))
    folders.picture(tmp_path / "train" / "images" / "one_1.jpg")
    folders.numbers(tmp_path / "train" / "labels" / "one_1.png", [0, 1, 2], palette=True)

    data = open_data(f"camvid:{tmp_path}")

    assert data.classes.names == ("c0", "c1")
    assert list(data.splits) == ["train"]
    assert data.splits["train"].read(0).label.tolist() == folders.bands([0, 1, 255]).tolist()


@pytest.mark.parametrize(("images", "labels"), [("701_StillsRaw_full", "LabeledApproved_full"), ("images", "labels")])
def test_the_original_camvid(tmp_path: Path, images: str, labels: str) -> None:
    written = [colour for colour, _ in ORIGINAL.classes]
    names = ("0001TP_008520", "0001TP_008550", "0016E5_07959", "0016E5_07960", "Seq05VD_f00000")
    for name in names:
        folders.picture(tmp_path / images / f"{name}.png")
        folders.colours(tmp_path / labels / f"{name}_L.png", written)
    (tmp_path / "label_colors.txt").write_text("64 128 64\tAnimal\n\n")

    data = open_data(f"camvid:{tmp_path}")

    assert data.classes == ELEVEN
    assert {name: split.names for name, split in data.splits.items()} == {
        "train": ("0001TP_008520", "0016E5_07960"),
        "val": ("0016E5_07959",),
        "test": ("0001TP_008550", "Seq05VD_f00000"),
    }
    expected = np.array([label for _, label in ORIGINAL.classes])[folders.bands(list(range(32)))]
    assert data.splits["val"].read(0).label.tolist() == expected.tolist()
    assert len(written) == 32
    assert set(np.unique(expected)) == {*range(11), 255}


@pytest.mark.parametrize("digit", ["²", "٣"])
def test_digits_that_are_no_numbers_name_no_frame(tmp_path: Path, digit: str) -> None:
    name = f"0001TP_00852{digit}"
    folders.picture(tmp_path / "images" / f"{name}.png")
    folders.colours(tmp_path / "labels" / f"{name}_L.png", [(128, 0, 0), (128, 128, 128)])

    with pytest.raises(BadData, match=f"0001TP_00852{digit}.png` has no frame number in its name; name the splits in"):
        open_data(f"camvid:{tmp_path}")
    (tmp_path / "train.txt").write_text(f"\ufeff{name}.png\n", encoding="utf-8")  # with a byte order mark
    assert open_data(f"camvid:{tmp_path}").splits["train"].names == (name,)


def in_capitals(root: Path) -> Path:
    """All image files, with suffixes in capitals."""
    for path in [*root.rglob("*.png"), *root.rglob("*.jpg")]:
        path.rename(path.with_suffix(path.suffix.upper()))
    return root


@pytest.mark.parametrize("kind", ["segnet", "cityscapes", "bdd", "folder"])
def test_suffixes_in_capitals_are_the_same(tmp_path: Path, kind: str) -> None:
    lay_out = {
        "segnet": folders.segnet,
        "cityscapes": folders.cityscapes,
        "bdd": folders.bdd,
        "folder": folders.folder,
    }[kind]
    written = "camvid" if kind == "segnet" else kind
    small = open_data(f"{written}:{lay_out(tmp_path / 'small')}")
    large = open_data(f"{written}:{in_capitals(lay_out(tmp_path / 'large'))}")

    assert {name: split.names for name, split in large.splits.items()} == {
        name: split.names for name, split in small.splits.items()
    }
    for name, split in small.splits.items():
        for i in range(len(split)):
            assert large.splits[name].read(i).label.tolist() == split.read(i).label.tolist()


def test_lists_of_frames_come_before_the_usual_split(tmp_path: Path) -> None:
    for name in ("0001TP_008520", "0016E5_07959"):
        folders.picture(tmp_path / "images" / f"{name}.png")
        folders.colours(tmp_path / "labels" / f"{name}_L.png", [(128, 0, 0), (128, 128, 128)])
    (tmp_path / "train.lst").write_text("images/0016E5_07959.png labels/0016E5_07959_L.png\n")
    (tmp_path / "test.txt").write_text("0001TP_008520\n\n")

    splits = open_data(f"camvid:{tmp_path}").splits

    assert {name: split.names for name, split in splits.items()} == {
        "train": ("0016E5_07959",),
        "test": ("0001TP_008520",),
    }


def test_every_number_of_cityscapes_is_mapped_as_published() -> None:
    assert list(LABEL_IDS.classes[:34]) == PUBLISHED


def test_fine_cityscapes_prefers_training_ids(tmp_path: Path) -> None:
    data = open_data(f"cityscapes:{folders.cityscapes(tmp_path)}")
    train = data.splits["train"]

    assert (data.kind, data.classes.count, list(data.splits)) == ("cityscapes", 19, ["train", "val"])
    assert train.names == ("aachen_000000_000019", "bochum_000000_000294")
    assert train.groups == ("aachen", "bochum")
    assert train.read(0).label.tolist() == folders.bands(PUBLISHED).tolist()
    assert train.read(1).label.tolist() == folders.bands([*reversed(range(19)), 255]).tolist()


def test_coarse_cityscapes_trains_on_the_extra_images_too(tmp_path: Path) -> None:
    folders.cityscapes(tmp_path, kind="gtCoarse")
    folders.cityscapes(tmp_path)
    extra = tmp_path / "leftImg8bit" / "train_extra" / "bonn" / "bonn_000000_000001_leftImg8bit.png"
    folders.picture(extra)
    label = tmp_path / "gtCoarse" / "train_extra" / "bonn" / "bonn_000000_000001_gtCoarse_labelIds.png"
    folders.numbers(label, [7, 26])
    fine = tmp_path / "gtFine" / "val" / "frankfurt" / "frankfurt_000000_000294_gtFine_labelIds.png"
    folders.numbers(fine, [23])

    data = open_data(f"cityscapes_coarse:{tmp_path}")

    assert data.kind == "cityscapes"
    assert data.splits["train"].groups == ("aachen", "bochum", "bonn")
    assert data.splits["train"].read(2).label.tolist() == folders.bands([0, 13]).tolist()
    assert data.splits["val"].read(0).label.tolist() == folders.bands([10]).tolist()


@pytest.mark.parametrize("above", ["", "bdd100k"])
def test_bdd_of_2020(tmp_path: Path, above: str) -> None:
    folders.bdd(tmp_path / above)

    data = open_data(f"bdd:{tmp_path}")

    assert {name: split.names for name, split in data.splits.items()} == {
        "train": ("0004a4c0-d4dff0ad",),
        "val": ("7d06fefd-f7be05a6",),
    }
    assert data.splits["train"].read(0).label.tolist() == folders.bands([*range(19), 255]).tolist()


def test_bdd_of_2018(tmp_path: Path) -> None:
    folders.picture(tmp_path / "seg" / "images" / "train" / "0004a4c0-d4dff0ad.jpg")
    label = folders.numbers(tmp_path / "seg" / "labels" / "train" / "0004a4c0-d4dff0ad_train_id.png", [3, 18, 255])

    split = open_data(f"bdd:{tmp_path}").splits["train"]

    assert split.names == ("0004a4c0-d4dff0ad",)
    assert split.read(0).label.tolist() == label.tolist()


def test_folders_of_images_cover_the_size_from_their_middle(tmp_path: Path) -> None:
    folders.folder(tmp_path)
    striped = np.zeros((40, 80, 3), dtype=np.uint8)
    striped[:, 20:60] = 200  # the middle square
    Image.fromarray(striped).save(tmp_path / "train" / "n01440764" / "a.png")

    data = open_data(f"folder:{tmp_path}", size=(20, 20))
    train = data.splits["train"]

    assert (data.task, data.classes.names) == ("classification", ("n01440764", "n01443537"))
    assert train.names == ("n01440764/a", "n01440764/b", "n01443537/a", "n01443537/b")
    assert [int(train.read(i).label) for i in range(4)] == [0, 0, 1, 1]
    assert train.read(0).image.shape == (20, 20, 3)
    assert train.read(0).image[:, 1:-1].min() == 200


def test_images_and_labels_are_scaled_to_a_size_together(tmp_path: Path) -> None:
    folders.picture(tmp_path / "train" / "a_1.png", size=(32, 64))
    Image.fromarray(np.repeat(folders.bands([0, 255])[..., None], 3, axis=2)).save(tmp_path / "train" / "a_1.png")
    folders.numbers(tmp_path / "trainannot" / "a_1.png", [0, 10])

    example = open_data(f"camvid:{tmp_path}", size=(8, 16)).splits["train"].read(0)

    assert example.label.tolist() == folders.bands([0, 10], (8, 16)).tolist()
    assert ((example.image[..., 0] > 127) == (example.label == 10)).all()


def test_a_count_takes_examples_evenly(tmp_path: Path) -> None:
    for number in range(6):
        folders.picture(tmp_path / "train" / f"a_{number}.png")
        folders.numbers(tmp_path / "trainannot" / f"a_{number}.png", [number])

    split = open_data(f"camvid:{tmp_path}", count=3).splits["train"]

    assert split.names == ("a_0", "a_2", "a_4")
    assert [int(split.read(i).label[0, 0]) for i in range(3)] == [0, 2, 4]


@pytest.mark.skipif(not CAMVID.is_dir(), reason="there is no CamVid beside the repository")
def test_the_real_camvid_is_whole_and_split_as_usual(tmp_path: Path) -> None:
    data = open_data(f"camvid:{CAMVID}")

    assert {name: len(split) for name, split in data.splits.items()} == {"train": 367, "val": 101, "test": 233}
    assert data.classes.names == ELEVEN.names
    assert all(usual_split(name) == split.name for split in data.splits.values() for name in split.names)
    assert data.splits["val"].read(0).label.shape == (360, 480)


@pytest.mark.skipif(not CAMVID.is_dir(), reason="there is no CamVid beside the repository")
def test_a_real_camvid_with_a_frame_less_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(CAMVID / "val", tmp_path / "val")
    shutil.copy(CAMVID / "classes.json", tmp_path)
    next((tmp_path / "val" / "images").iterdir()).unlink()

    with pytest.raises(Exception, match=r"holds 100 images, and .* says 101"):
        open_data(f"camvid:{tmp_path}")
