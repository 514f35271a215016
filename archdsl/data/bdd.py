"""BDD100K's 10,000 images with semantic labels (Yu et al., CVPR 2020), as released in 2020 and in 2018."""

from __future__ import annotations

from pathlib import Path

from archdsl.data.cityscapes import TRAIN_IDS
from archdsl.data.frames import Frame
from archdsl.data.layout import Layout, paired, unknown_layout
from archdsl.data.problems import Problem
from archdsl.data.street_classes import NINETEEN


def find(written: str, root: Path) -> Layout:
    """The dataset below a folder, or below the `bdd100k` that its archives make. Raises NoData.

    Masks hold training ids. `test` has no labels, and is no split.
    """
    for base in (root, root / "bdd100k"):
        if (base / "images" / "10k").is_dir() and (base / "labels" / "sem_seg" / "masks").is_dir():
            return _layout(base / "images" / "10k", base / "labels" / "sem_seg" / "masks", "")
        if (base / "seg" / "images").is_dir() and (base / "seg" / "labels").is_dir():
            return _layout(base / "seg" / "images", base / "seg" / "labels", "_train_id")
    raise unknown_layout(written, root, "`images/10k` and `labels/sem_seg/masks`, or `seg/images` and `seg/labels`")


def _layout(images: Path, masks: Path, suffix: str) -> Layout:
    splits: dict[str, list[Frame]] = {}
    problems: list[Problem] = []
    for split in ("train", "val"):
        frames, alone = paired(images / split, masks / split, TRAIN_IDS, label_suffix=suffix)
        problems += alone
        if frames:
            splits[split] = frames
    return Layout(NINETEEN, splits, tuple(problems))
