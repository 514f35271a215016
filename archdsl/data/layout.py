"""Shared parts of dataset layouts on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from archdsl.data.frames import Frame
from archdsl.data.labels import LabelCode
from archdsl.data.model import Classes
from archdsl.data.problems import NoData, Problem

PICTURES: Final = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Layout:
    """A dataset found on disk, before its files are checked."""

    classes: Classes
    splits: Mapping[str, Sequence[Frame]]
    problems: tuple[Problem, ...] = ()
    """Of folders and lists."""


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by their names; hidden ones (`._a.png`, as some systems leave them) are none."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix.lower() in PICTURES and not path.name.startswith("."))


def paired(
    images: Sequence[Path],
    labels: Path,
    code: LabelCode,
    *,
    image_suffix: str = "",
    label_suffix: str = "",
    group: Callable[[str], str] = lambda _: "",
) -> tuple[list[Frame], list[Problem]]:
    """Images with the labels of a folder.

    A frame's image is `NAME{image_suffix}.*`, its label `NAME{label_suffix}.png`. Labels without an image are
    problems; images without a label are frames, whose label will be missed when they are looked into.
    """
    problems = [
        Problem(str(other), f"has the same name as `{one}`", "remove one of the two")
        for one, other in pairwise(images)
        if one.stem == other.stem
    ]
    names = {path.stem.removesuffix(image_suffix): path for path in images}
    frames = [
        Frame(name, group(name), image, labels / f"{name}{label_suffix}.png", code) for name, image in names.items()
    ]
    problems += [
        Problem(str(label), "has no image", "add it, or remove the label")
        for label in pictures(labels)
        if label.stem.endswith(label_suffix) and label.stem.removesuffix(label_suffix) not in names
    ]
    return frames, problems


def folder_or_leave(written: str, path: Path) -> Path:
    """The folder of a dataset. Raises NoData."""
    if not path.exists():
        near = next(parent for parent in path.absolute().parents if parent.exists())
        raise NoData(written, [Problem(str(path), "is not there", f"`{near}` holds {_inside(near)}")])
    if not path.is_dir():
        raise NoData(written, [Problem(str(path), "is a file", "give the folder; archives are unpacked first")])
    return path


def unknown_layout(written: str, path: Path, expected: str) -> NoData:
    """The error for a folder with another layout."""
    return NoData(
        written, [Problem(str(path), f"holds {_inside(path)}", f"`{written.partition(':')[0]}` expects {expected}")]
    )


def _inside(path: Path, shown: int = 6) -> str:
    names = sorted(each.name for each in path.iterdir() if not each.name.startswith("."))
    if not names:
        return "nothing"
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(f"`{name}`" for name in names[:shown]) + more
