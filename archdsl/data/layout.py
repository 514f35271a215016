"""Shared parts of dataset layouts on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from archdsl.data.frames import Frame
from archdsl.data.images import SUFFIXES
from archdsl.data.labels import LabelCode
from archdsl.data.model import Classes
from archdsl.data.problems import NoData, Problem

LABEL: Final = ".png"
"""The suffix of label files, in capitals or not."""
_UNREAD: Final = (".avif", ".dng", ".eps", ".exr", ".heic", ".heif", ".jp2", ".jxl", ".npy", ".psd", ".tga")
"""Suffixes of pictures that are not read."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A dataset found on disk, before its files are checked."""

    classes: Classes
    splits: Mapping[str, Sequence[Frame]]
    problems: tuple[Problem, ...] = ()
    """Of folders and lists."""
    listed: Path | None = None
    """The file in which users list the classes; None where the layout fixes them."""


def pictures(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The pictures of a folder by their names; hidden ones (`._a.png`, as some systems leave them) are none."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix.lower() in suffixes and not path.name.startswith("."))


def unread(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Problem]:
    """A problem for each picture of a kind that is not read."""
    others = [each for each in (*_UNREAD, *SUFFIXES) if each not in suffixes]
    what = f"is not read: files that are end in {', '.join(suffixes)}"
    return [Problem(str(path), what, "write it as one of these") for path in pictures(folder, others)]


def by_name(paths: Sequence[Path], suffix: str = "") -> tuple[dict[str, Path], list[Problem]]:
    """Files `NAME{suffix}.*` by their names, with a problem for each that has another's name."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for path in paths:
        if not path.stem.endswith(suffix):
            continue
        other = found.setdefault(path.stem.removesuffix(suffix), path)
        if other is not path:
            problems.append(Problem(str(path), f"has the same name as `{other}`", "remove one of the two"))
    return found, problems


def paired(
    images: Path,
    labels: Path,
    code: LabelCode,
    *,
    label_suffix: str = "",
    group: Callable[[str], str] = lambda _: "",
) -> tuple[list[Frame], list[Problem]]:
    """The images of a folder with the labels of another.

    A frame's image is `NAME.*`, its label `NAME{label_suffix}.png`. Labels without an image are problems; images
    without a label are frames, whose label will be missed when they are looked into.
    """
    names, twice = by_name(pictures(images))
    labelled, labelled_twice = by_name(pictures(labels, (LABEL,)), label_suffix)
    frames = [
        Frame(name, group(name), image, labelled.get(name, labels / f"{name}{label_suffix}{LABEL}"), code)
        for name, image in names.items()
    ]
    alone = [
        Problem(str(label), "has no image", "add it, or remove the label")
        for name, label in labelled.items()
        if name not in names
    ]
    return frames, [*twice, *labelled_twice, *unread(images), *unread(labels, (LABEL,)), *alone]


def with_others(splits: Mapping[str, Sequence[Frame]], names: Sequence[str]) -> dict[str, list[Frame]]:
    """Frames with the files of their other inputs: `SPLIT/NAME_OF_INPUT/FRAME.*` beside `SPLIT/images`.

    A file that is not there is named by what it would be called; looking into it says that it is missing.
    """
    found: dict[str, list[Frame]] = {}
    for split, frames in splits.items():
        folders: dict[Path, Mapping[str, Path]] = {}
        found[split] = []
        for frame in frames:
            others: list[Path] = []
            for name in names:
                folder = frame.image.parent.parent / name
                if folder not in folders:
                    folders[folder] = by_name(pictures(folder))[0]
                others.append(folders[folder].get(frame.image.stem, folder / f"{frame.image.stem}.png"))
            found[split].append(replace(frame, others=tuple(others)))
    return found


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
