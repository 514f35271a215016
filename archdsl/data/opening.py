"""Opens a dataset by its name: `camvid:PATH`, `streets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from archdsl.data import bdd, camvid, cityscapes, folder, frames, streets
from archdsl.data.inputs import as_read, check_inputs, statistics
from archdsl.data.layout import Layout, folder_or_leave, with_others
from archdsl.data.model import IMAGENET_MEAN, IMAGENET_STD, RGB, Data, ImageInput, Split
from archdsl.data.problems import BadData, NoData, Problem, shortened
from archdsl.data.survey import Seen, survey, survey_images

_LAYOUTS: Final[Mapping[str, Callable[[str, Path], Layout]]] = {
    "camvid": camvid.find,
    "cityscapes": lambda written, root: cityscapes.find(written, root, coarse=False),
    "cityscapes_coarse": lambda written, root: cityscapes.find(written, root, coarse=True),
    "bdd": bdd.find,
}
KINDS: Final = (*_LAYOUTS, "folder", "streets")


def open_data(
    written: str,
    *,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    count: int | None = None,
    thorough: bool = False,
    inputs: tuple[ImageInput, ...] = RGB,
) -> Data:
    """Opens a dataset by its name, and checks all its files.

    `size` (height, width) is what images and labels are scaled to as they are read, and what streets are drawn at.
    `seed` is of the streets. At most `count` examples of each split are taken, evenly spaced; of streets so many are
    drawn to train, and a quarter as many for the other splits. `thorough` decodes every image once.
    `inputs` are what a network reads; an example's image has the channels of all of them.

    Raises BadData with every problem that was found; NoData where there is nothing to look into.
    """
    check_inputs(written, inputs)
    kind, _, place = written.partition(":")
    if kind not in KINDS:
        raise NoData(written, [Problem("", f"`{kind}` is not a kind of data", _kinds(kind))])
    if kind == "streets":
        if place:
            raise NoData(written, [Problem(place, "is not used: streets are drawn, not read", "write `streets`")])
        return as_read(streets.data(size=size, seed=seed, count=count), inputs)
    if not place:
        raise NoData(written, [Problem("", f"`{kind}` needs the folder that it is in", f"write `{kind}:PATH`")])
    root = folder_or_leave(written, Path(place).expanduser())
    if kind == "folder":
        return _sorted(written, root, size, count, thorough, inputs)
    return _framed(written, _LAYOUTS[kind](written, root), size, count, thorough, inputs)


def _framed(
    written: str,
    layout: Layout,
    size: tuple[int, int] | None,
    count: int | None,
    thorough: bool,
    inputs: tuple[ImageInput, ...],
) -> Data:
    kind, _, root = written.partition(":")
    listed = layout.listed is not None
    others = [each.name for each in inputs[1:]]
    if others and not listed:
        raise _without_others(written, root, inputs, "a `classes.json`, and a folder of that name beside `images`")
    framed = with_others(layout.splits, others) if others else layout.splits
    found = survey(framed, listed=listed, scaled=size is not None, thorough=thorough, inputs=inputs)
    unlabelled = {name: _unlabelled(layout, root, name, seen) for name, seen in found.seen.items()}
    problems = [*layout.problems, *found.problems]
    if "train" in found.seen and (thorough or (len(found.seen["train"].classes) < 2 and not problems)):
        problems += unlabelled["train"]  # a training may lack some, as a part of Cityscapes does, but not all but one
    _leave_if_bad(written, root, problems, "train" in layout.splits)
    splits = {name: _thinned(frames.split_of(name, each, size, inputs), count) for name, each in framed.items()}
    remarks = {name: tuple(map(str, lacking)) for name, lacking in unlabelled.items()}
    mean, std = statistics(inputs, IMAGENET_MEAN, IMAGENET_STD)
    kind = kind.removesuffix("_coarse")
    return Data(kind, written, "segmentation", layout.classes, splits, mean, std, remarks, inputs)


def _without_others(written: str, root: str, inputs: Sequence[ImageInput], expected: str) -> NoData:
    listed = ", ".join(f"`{each.name}`" for each in inputs[1:])
    what = f"has no files for {listed}, which the network reads beside `{inputs[0].name}`"
    return NoData(written, [Problem(root, what, f"lay it out with {expected} (docs/data.md)")])


def _unlabelled(layout: Layout, root: str, split: str, seen: Seen) -> list[Problem]:
    """Classes that nothing can be learnt of: no label of a split has a pixel of them, or there is no other."""
    place = root if layout.listed is None else str(layout.listed)
    names = layout.classes.names
    lacking = [f"`{name}`" for number, name in enumerate(names) if number not in seen.classes]
    if lacking and seen.values:
        values = shortened((seen.values[each] for each in sorted(seen.values)), 8)
        what = f"has {shortened(lacking)}, which no label of `{split}` has: their values are {values}"
        help_ = (
            "take the label files of this layout, or list your own classes in a `classes.json` (docs/data.md)"
            if layout.listed is None
            else "write the value of each class in the labels as its `index` (255 is ignored unless it is one), "
            "or remove the class"
        )
        return [Problem(place, what, help_)]
    if len(names) == 1 and split == "train":
        what = f"has one class that counts, `{names[0]}`: whatever is shown, the answer is right"
        return [Problem(place, what, "list what is around it as a class too")]
    return []


def _sorted(
    written: str,
    root: Path,
    size: tuple[int, int] | None,
    count: int | None,
    thorough: bool,
    inputs: tuple[ImageInput, ...],
) -> Data:
    if len(inputs) != 1:
        raise _without_others(written, str(root), inputs, "labels and a `classes.json` as `camvid:PATH`")
    channels = inputs[0].channels
    found = folder.find(written, root)
    images = [path for each in found.splits.values() for path, _ in each]
    _leave_if_bad(
        written,
        str(root),
        (*found.problems, *survey_images(images, thorough=thorough, channels=channels)),
        bool(images),
    )
    splits = {
        name: _thinned(folder.split_of(name, each, found.classes, size or folder.SIZE, channels), count)
        for name, each in found.splits.items()
    }
    mean, std = statistics(inputs, IMAGENET_MEAN, IMAGENET_STD)
    return Data("folder", written, "classification", found.classes, splits, mean, std, inputs=inputs)


def _leave_if_bad(written: str, root: str, problems: Sequence[Problem], trains: bool) -> None:
    if problems:
        raise BadData(written, problems)
    if not trains:
        raise BadData(written, [Problem(root, "has no images to train with", "fill its `train`")])


def _thinned(split: Split, count: int | None) -> Split:
    if count is None or count >= len(split):
        return split
    return split.part(tuple(i * len(split) // count for i in range(count)))


def _kinds(kind: str) -> str:
    near = get_close_matches(kind.lower(), KINDS, 1)
    known = "there are " + ", ".join(f"`{each}`" if each == "streets" else f"`{each}:PATH`" for each in KINDS)
    return f"did you mean `{near[0]}`? {known}" if near else known
