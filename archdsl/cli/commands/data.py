"""`archdsl data`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.groups import Group
from archdsl.cli.options import data_size, text_or_json
from archdsl.cli.output import deliver, note, plural, say, say_json, table
from archdsl.extras import require_for

if TYPE_CHECKING:
    from archdsl.data import Data
    from archdsl.data.problems import BadData
    from archdsl.data.shares import Shares

_SEED = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of streets and of chance.")


@click.group("data", cls=Group, no_args_is_help=False)
def command() -> None:
    """Check datasets before training, and draw examples.

    DATA is `camvid:PATH`, `cityscapes:PATH`, `cityscapes_coarse:PATH`, `bdd:PATH`, `folder:PATH` (images in a folder
    for each class), or `streets`, which are drawn and need no files.
    """


@command.command("check")
@click.argument("written", metavar="[DATA]", default="streets")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Count the classes of so many examples of a split.")
@data_size
@_SEED
@text_or_json
def check(written: str, count: int | None, data_size: tuple[int, int] | None, seed: int, form: str) -> int:
    """Decode every file of DATA (`streets` where none is given), report all problems, and count its classes."""
    require_for("data")

    from archdsl.cli.progress import working
    from archdsl.data import BadData, open_data
    from archdsl.data.problems import NoData
    from archdsl.data.shares import shares

    try:
        with working(f"checking {written}"):
            data = open_data(written, size=data_size, seed=seed, count=count, thorough=True)
            segmented = data.splits.items() if data.task == "segmentation" else ()
            counted = {name: shares(split, data.classes.count) for name, split in segmented}
    except NoData:
        raise
    except BadData as bad:
        if form == "json":
            say_json(_bad_json(bad))
        else:
            say("\n".join(str(problem) for problem in bad.problems))
            note(f"{written}: {plural(len(bad.problems), 'problem')}")
        return Exit.FINDINGS
    if form == "json":
        say_json(_json(data, counted))
    else:
        say(_text(data, counted))
    return Exit.FINE


@command.command("show")
@click.argument("written", metavar="DATA")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="X.png|jpg|-", help="Where to.")
@click.option("--split", "name", default="train", show_default=True, metavar="NAME", help="`train`, `val` or `test`.")
@click.option("--count", type=click.IntRange(1, 400), default=12, show_default=True, help="Examples, evenly spaced.")
@click.option("--augmented", is_flag=True, help="As a training might see them: mirrored, scaled, cropped, coloured.")
@data_size
@_SEED
@text_or_json
def show(
    written: str,
    out: Path,
    name: str,
    count: int,
    augmented: bool,
    data_size: tuple[int, int] | None,
    seed: int,
    form: str,
) -> int:
    """Draw examples of DATA with their labels over them on one sheet."""
    require_for("data")

    from archdsl.api import Refused
    from archdsl.cli.progress import working
    from archdsl.data import open_data
    from archdsl.data.sheet import JPEG_TALLEST, encoded, picked, sheet

    if str(out) == "-" and form == "json":
        raise click.UsageError("`-o -` writes the picture to standard output, where `--format json` writes too")
    kind = "png" if str(out) == "-" else out.suffix.lower().removeprefix(".")
    if kind not in ("png", "jpg", "jpeg"):
        raise Refused(f"`{out}` is not a picture file: write one that ends in .png or .jpg")
    with working(f"reading {written}"):
        data = open_data(written, size=data_size, seed=seed)
        if name not in data.splits:
            raise Refused(f"{written} has no `{name}`; there are {', '.join(f'`{each}`' for each in data.splits)}")
        split = data.splits[name]
        examples = picked(split, count, augmented=seed if augmented else None, mean=data.mean)
        page = sheet(examples, data.classes)
        if kind != "png" and page.height > JPEG_TALLEST:
            tall = f"the sheet is {page.height:,} pixels tall, taller than a JPEG can be"
            raise Refused(f"{tall}: write a .png, or fewer examples with `--count`")
        picture = encoded(page, kind)
    if not deliver(picture, out):
        return Exit.FINE
    if form == "json":
        say_json({"data": written, "split": name, "file": str(out), "examples": [each for each, _ in examples]})
    else:
        note(str(out))
    return Exit.FINE


def _text(data: Data, counted: dict[str, Shares]) -> str:
    splits = [
        (name, plural(len(split), "image"), _sizes(counted.get(name)), _groups(split.groups))
        for name, split in data.splits.items()
    ]
    parts = [f"{data.written}: {data.classes.count:,} classes, nothing wrong\n", table(splits, right=(1,))]
    if counted:
        parts.append(_classes(data, counted))
    return "\n".join(parts)


def _classes(data: Data, counted: dict[str, Shares]) -> str:
    rows = [("class", *counted)]
    rows += [
        (name, *(f"{100 * each.of[i]:.2f} %" for each in counted.values())) for i, name in enumerate(data.classes.names)
    ]
    rows.append(("ignored", *(f"{100 * each.ignored:.2f} %" for each in counted.values())))
    return table(rows, right=tuple(range(1, len(counted) + 1)))


def _sizes(shares: Shares | None) -> str:
    return " ".join(f"{height}x{width}" for height, width in shares.sizes) if shares else ""


def _groups(groups: tuple[str, ...], shown: int = 4) -> str:
    names = sorted(set(groups) - {""})
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _json(data: Data, counted: dict[str, Shares]) -> dict[str, Any]:
    return {
        "data": data.written,
        "kind": data.kind,
        "task": data.task,
        "classes": [
            {"name": n, "colour": list(c)} for n, c in zip(data.classes.names, data.classes.colours, strict=True)
        ],
        "splits": {
            name: {
                "images": len(split),
                "groups": sorted(set(split.groups) - {""}),
                **_counted_json(counted.get(name)),
            }
            for name, split in data.splits.items()
        },
        "problems": [],
    }


def _counted_json(shares: Shares | None) -> dict[str, Any]:
    if shares is None:
        return {}
    return {
        "sizes": [list(each) for each in shares.sizes],
        "shares": list(shares.of),
        "ignored": shares.ignored,
    }


def _bad_json(bad: BadData) -> dict[str, Any]:
    found = [{"path": each.path, "what": each.what, "help": each.help} for each in bad.problems]
    return {"data": bad.written, "problems": found}
