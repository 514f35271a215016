"""Cityscapes (Cordts et al., CVPR 2016): `leftImg8bit/` beside `gtFine/`, and `gtCoarse/` for coarse labels."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from archdsl.data.frames import Frame
from archdsl.data.labels import Numbers
from archdsl.data.layout import LABEL, Layout, by_name, pictures, unknown_layout, unread
from archdsl.data.model import IGNORE
from archdsl.data.problems import Problem
from archdsl.data.street_classes import NINETEEN

_IDS: Final = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""Of each class its number in `labelIds` files (cityscapesScripts, helpers/labels.py); other numbers are ignored."""
_LAST_ID: Final = 33

LABEL_IDS: Final = Numbers.of({i: _IDS.index(i) if i in _IDS else IGNORE for i in range(_LAST_ID + 1)})
TRAIN_IDS: Final = Numbers.of({**{i: i for i in range(len(_IDS))}, IGNORE: IGNORE})

_IMAGE: Final = "_leftImg8bit"


def find(written: str, root: Path, *, coarse: bool) -> Layout:
    """The dataset below a folder. Raises NoData.

    Fine: `train` and `val` by `gtFine`. Coarse: `train` and `train_extra` by `gtCoarse`; `val` by `gtFine` where that
    is there, for scores on coarse labels say little. The labels of `test` are not published.
    """
    kind = "gtCoarse" if coarse else "gtFine"
    if not (root / "leftImg8bit").is_dir() or not (root / kind).is_dir():
        raise unknown_layout(written, root, f"`leftImg8bit` and `{kind}`, unpacked side by side")
    problems: list[Problem] = []
    train = _frames(root, "train", kind, problems)
    if coarse:
        train += _frames(root, "train_extra", kind, problems)
    val = _frames(root, "val", "gtFine" if (root / "gtFine" / "val").is_dir() else kind, problems)
    found = {"train": train, "val": val}
    return Layout(NINETEEN, {name: frames for name, frames in found.items() if frames}, tuple(problems))


def _frames(root: Path, split: str, kind: str, problems: list[Problem]) -> list[Frame]:
    images, labels = root / "leftImg8bit" / split, root / kind / split
    cities = sorted(
        {path.name for folder in (images, labels) if folder.is_dir() for path in folder.iterdir() if path.is_dir()}
    )
    frames: list[Frame] = []
    for city in cities:
        names, twice = by_name(pictures(images / city), _IMAGE)
        by_ids, twice_too = by_name(pictures(labels / city, (LABEL,)), f"_{kind}_labelIds")
        by_train_ids, twice_made = by_name(pictures(labels / city, (LABEL,)), f"_{kind}_labelTrainIds")
        for name, image in names.items():
            lacking = labels / city / f"{name}_{kind}_labelIds{LABEL}"
            frames.append(
                Frame(name, city, image, by_train_ids[name], TRAIN_IDS)
                if name in by_train_ids
                else Frame(name, city, image, by_ids.get(name, lacking), LABEL_IDS)
            )
        problems += [*twice, *twice_too, *twice_made, *unread(images / city), *unread(labels / city, (LABEL,))]
        problems += [
            Problem(str(label), "has no image", f"unpack `leftImg8bit` of `{split}` too")
            for name, label in (by_train_ids | by_ids).items()
            if name not in names
        ]
    return frames
