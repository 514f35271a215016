"""A folder with a fault of every kind: `archdsl data check` names each, with its file and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image

from archdsl.cli.main import run
from tests.data import folders
from tests.data.encodings import GREY, chunk, exif, laid, png, saved
from tests.data.folders import HEIGHT, WIDTH

AGAIN: Final = "copy it again from where it came"
KINDS: Final = ".png, .jpg, .jpeg, .bmp, .gif, .webp, .tif, .tiff, .ppm, .pgm"
INDEX: Final = (
    "write the value of each class in the labels as its `index` (255 is ignored unless it is one), or remove the class"
)
LIST: Final = 'list them in `classes.json`, with `"ignore": true` where they do not count'
NUMBER: Final = "write the number of each pixel's class as a PNG of one channel"
TURN: Final = (
    "a label has its image's height and width as both are seen upright: turn the label, or take the tag out of the file"
)
SAID: Final = (
    ("`train/images` holds 20 images, and `classes.json` says 30", "copy what is missing, or correct the number"),
    ("`classes.json` has `bird`, which no label of `train` has: their values are 0, 1, 5, 6, 255", INDEX),
    ("`train/images/cut.png` is truncated", AGAIN),
    ("`train/images/cut_jpeg.jpg` is truncated", AGAIN),
    ("`train/images/damaged.png` is not an image, or damaged", AGAIN),
    ("`train/images/dangling.png` is a link to `nowhere.png`, which is not there", AGAIN),
    ("`train/images/empty.png` is empty", AGAIN),
    (
        "`train/images/floats.tif` has samples of another kind (`F`) than 8 or 16 bits of grey or colour",
        "write it as a PNG of 8 bits",
    ),
    ("`train/images/folder.png` is a folder, where an image is expected", "move it elsewhere"),
    ("`train/images/huge.png` has more pixels than are read (178,956,970)", "cut it into smaller images"),
    (
        "`train/images/no_label.png` has no label: there is no `train/labels/no_label.png`",
        "add it, or remove the image",
    ),
    ("`train/images/odd.png` is 16x32, and 10 others are 32x64", "give a size to scale all to"),
    ("`train/images/page.png` is not an image, or damaged", AGAIN),
    (f"`train/images/phone.heic` is not read: files that are end in {KINDS}", "write it as one of these"),
    ("`train/images/twice.png` has the same name as `train/images/twice.jpg`", "remove one of the two"),
    ("`train/labels/colours.png` has mode RGB, and labels are one channel of at most 8 bits", NUMBER),
    ("`train/labels/cut_label.png` is truncated", AGAIN),
    (
        "`train/labels/jpeg.png` is a JPEG file, and labels are PNG files",
        "write it as a PNG from the numbers that it was made of",
    ),
    ("`train/labels/no_image.png` has no image", "add it, or remove the label"),
    ("`train/labels/outside.png` has the values 5, 6 in 1,344 pixels, outside of the classes", LIST),
    (
        "`train/labels/small.png` is 16x32, and its image `train/images/small.png` 32x64",
        "a label has its image's height and width",
    ),
    (
        (
            "`train/labels/turned.png` is 64x32, and its image `train/images/turned.jpg` 32x64, "
            "upright by its EXIF orientation 6"
        ),
        TURN,
    ),
    ("`train/labels/wide.png` has mode I;16, and labels are one channel of at most 8 bits", NUMBER),
)
"""What is wrong, and what to do."""


def faulty(root: Path) -> Path:
    classes = [{"index": i, "name": name, "color": [i, 0, 0]} for i, name in enumerate(("cat", "dog", "bird"))]
    (root / "classes.json").write_text(json.dumps({"classes": classes, "splits": {"train": 30}}))
    images, labels = root / "train" / "images", root / "train" / "labels"
    bad_images = ("cut", "damaged", "dangling", "empty", "folder", "huge", "no_label", "odd", "page")
    bad_labels = ("colours", "cut_label", "jpeg", "outside", "small", "wide")
    for name in (*bad_images, *bad_labels, "good"):
        folders.picture(images / f"{name}.png")
        folders.numbers(labels / f"{name}.png", [0, 1, 255])
    for name in ("cut_jpeg.jpg", "twice.jpg", "twice.png", "floats.tif", "phone.heic", "turned.jpg"):
        folders.picture(images / "good.png")
        Image.open(images / "good.png").save(images / name, "TIFF" if name.endswith("heic") else None)
        folders.numbers(labels / f"{name.partition('.')[0]}.png", [0, 1, 255])

    cut(images / "cut.png")
    cut(images / "cut_jpeg.jpg")
    flip_a_bit(images / "damaged.png")
    (images / "dangling.png").unlink()
    (images / "dangling.png").symlink_to("nowhere.png")
    (images / "empty.png").write_bytes(b"")
    Image.fromarray(np.zeros((HEIGHT, WIDTH), dtype=np.float32)).save(images / "floats.tif")
    (images / "folder.png").unlink()
    (images / "folder.png").mkdir()
    head = png(np.zeros((1, 1), dtype=np.uint8), 8, GREY)
    size = (60_000).to_bytes(4, "big")
    (images / "huge.png").write_bytes(
        head.replace(head[8:33], chunk(b"IHDR", size + size + head[24:29])),
    )
    (labels / "no_label.png").unlink()
    folders.picture(images / "odd.png", size=(16, 32))
    folders.numbers(labels / "odd.png", [0], size=(16, 32))
    (images / "page.png").write_text("<html>404</html>")
    (labels / "phone.png").unlink()
    saved(images / "turned.jpg", laid(np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8), 6), exif=exif(6))

    folders.picture(labels / "colours.png")
    cut(labels / "cut_label.png")
    saved(labels / "jpeg.jpg", folders.bands([0, 1])).rename(labels / "jpeg.png")
    folders.numbers(labels / "no_image.png", [0])
    folders.numbers(labels / "outside.png", [0, 5, 6])
    folders.numbers(labels / "small.png", [0], size=(16, 32))
    folders.numbers(labels / "turned.png", [0], size=(WIDTH, HEIGHT))
    saved(labels / "wide.png", Image.fromarray(np.zeros((HEIGHT, WIDTH), dtype=np.uint16)))
    return root


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    file = bytearray(path.read_bytes())
    file[len(file) // 2] ^= 1
    path.write_bytes(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faulty(tmp_path_factory.mktemp("faulty"))


def test_every_fault_is_named_with_its_file_and_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)

    assert run(["data", "check", "camvid:."]) == 1
    shown = capsys.readouterr()
    assert sorted(shown.out.splitlines()) == sorted(f"{what}; {help_}" for what, help_ in SAID)
    assert shown.err.splitlines()[-1] == f"camvid:.: {len(SAID)} problems"
    assert len(SAID) >= 20


def test_without_its_faults_the_folder_is_fine(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "mended", symlinks=True)
    root = tmp_path / "mended" / "train"
    for kind in ("images", "labels"):
        for path in (root / kind).iterdir():
            if path.stem != "good":
                path.rmdir() if path.is_dir() else path.unlink()
    listed = json.loads((tmp_path / "mended" / "classes.json").read_text())
    (tmp_path / "mended" / "classes.json").write_text(json.dumps({"classes": listed["classes"][:2]}))

    assert run(["data", "check", f"camvid:{tmp_path / 'mended'}"]) == 0
