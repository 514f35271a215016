"""`archdsl eval`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import data_size, device, output_name, overrides, text_or_json, views
from archdsl.cli.output import count, note, plural, say, say_json, table
from archdsl.cli.progress import Bar
from archdsl.extras import require_for

if TYPE_CHECKING:
    from archdsl.data import Data
    from archdsl.train.evaluate import Evaluation, Views

_CLASSES = 40
"""The largest number of classes of whole images in a table."""
FIVE = 5
_SHARE = 20
"""Characters of the bar that stands for a whole."""


@click.command("eval")
@click.argument("what", metavar="WHAT")
@click.option("--data", "written", default="streets", show_default=True, metavar="KIND:PATH", help="What to score on.")
@click.option("--split", default="test", show_default=True, metavar="NAME")
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True), metavar="W", help="A file of weights or a run."
)
@data_size
@views
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of streets.")
@device
@output_name
@overrides
@text_or_json
def command(
    what: str,
    written: str,
    split: str,
    weights: Path | None,
    data_size: tuple[int, int] | None,
    flip: bool,
    scales: tuple[float, ...],
    seed: int,
    device: str,
    output: str | None,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Evaluate a network: IoU of each class, mean IoU and pixel accuracy; on folders of images top-1 and top-5.

    WHAT is the folder of a run, a text with `--weights`, or a compiled `.onnx` file. Images keep their size; sizes
    that do not divide are padded. `torchrun -m archdsl eval` shares the images among devices, with equal numbers.
    """
    require_for("eval")
    if what.endswith(".onnx"):
        require_for("eval FILE.onnx")

    from archdsl.data import open_data
    from archdsl.train.distributed import fabric_of
    from archdsl.train.evaluate import Views, check, evaluate, share_of
    from archdsl.train.inference import NetworkRequest, open_network

    request = NetworkRequest(what, weights, dict(overrides), output)
    fabric = fabric_of("cpu" if request.onnx and device == "auto" else device, "fp32")
    looked_at = Views(scales, flip)
    with errors_shown(form):
        network = open_network(request, fabric.device)
    data = open_data(written, size=data_size, seed=seed, inputs=network.inputs)
    notices = (*network.notices, *check(network, data, split, looked_at))
    first = fabric.is_global_zero
    for sentence in notices if first else ():
        note(sentence)
    mine = share_of(len(data.splits[split]))
    with Bar(shown=first) as bar:
        found = evaluate(
            network, data, split, looked_at, fabric.device, lambda done: bar.show(done, mine, f"scoring {split}")
        )
    if first and form == "json":
        say_json(_object(what, data, split, looked_at, found))
    elif first:
        say(_text(what, data, split, looked_at, found))
    return Exit.FINE


def _text(what: str, data: Data, split: str, views: Views, found: Evaluation) -> str:
    head = f"{what} on `{split}` of {data.written}: {plural(found.images, 'image')}{_looks(views)}\n\n"
    return head + (_of_images(data, found) if found.scores.whole else _of_pixels(data, found))


def _of_images(data: Data, found: Evaluation) -> str:
    """Top-1 and top-5, with the classes that are recognised least first where not all are shown."""
    scores = found.scores
    among_five = found.among_five
    counted = [
        (name, sum(row), row[i], None if among_five is None else among_five[i])
        for i, (name, row) in _by_class(data, found)
    ]
    shown = counted
    if len(counted) > _CLASSES:
        shown = sorted(counted, key=lambda each: (not each[1], each[2] / max(1, each[1])))[:_CLASSES]
    rows = [("class", "top-1", "", "top-5", "images")]
    for name, images, right, among in shown:
        one, five = (None if not images or hits is None else hits / images for hits in (right, among))
        rows.append((name, _percent(one), _bar(one), _percent(five), count(images)))
    rows.append(("all", _percent(scores.accuracy), _bar(scores.accuracy), _percent(scores.top5), count(scores.pixels)))
    foot = "" if among_five is not None else "\n  the network gives labels, so top-5 is not known"
    met = [name for name, images, _, _ in counted if images]
    if len(met) == 1 < len(counted):
        foot += f"\n  all images are of `{met[0]}` alone"
    if len(shown) < len(counted):
        foot += f"\n  the {len(shown)} of {len(counted):,} classes that are recognised least; `--format json` has all"
    if among_five is not None and data.classes.count <= FIVE:
        foot += f"\n  with {data.classes.count} classes top-5 is always 100 %"
    return table(rows, right=(1, 3, 4)) + foot + "\n"


def _by_class(data: Data, found: Evaluation) -> Iterator[tuple[int, tuple[str, Sequence[int]]]]:
    return enumerate(zip(data.classes.names, found.confusion, strict=True))


def _of_pixels(data: Data, found: Evaluation) -> str:
    scores = found.scores
    rows = [("class", "IoU", "", "pixels")]
    for name, iou, row in zip(data.classes.names, scores.iou, found.confusion, strict=True):
        rows.append((name, _percent(iou), _bar(iou), count(sum(row))))
    rows.append(("mean", _percent(scores.miou), _bar(scores.miou), count(scores.pixels)))
    foot = f"\n  {100 * scores.accuracy:.2f} % of the pixels are right"
    absent = [name for name, iou in zip(data.classes.names, scores.iou, strict=True) if iou is None]
    if len(absent) == data.classes.count - 1:
        (only,) = {*data.classes.names} - {*absent}
        foot += f"; the mean is that of `{only}` alone, as no label or prediction has another class"
    elif absent:
        foot += f"; the mean leaves out {', '.join(absent)}, met nowhere"
    return table(rows, right=(1, 3)) + foot + "\n"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _bar(share: float | None) -> str:
    return "#" * round(_SHARE * (share or 0.0))


def _looks(views: Views) -> str:
    """The views in words; empty for the image alone."""
    scaled = "" if views.scales == (1.0,) else f", at {', '.join(f'{scale:g}' for scale in views.scales)} of their size"
    return scaled + (", mirrored too" if views.flip else "")


def _object(what: str, data: Data, split: str, views: Views, found: Evaluation) -> dict[str, Any]:
    scores = found.scores
    head = {
        "network": what,
        "data": data.written,
        "split": split,
        "images": found.images,
        "scales": list(views.scales),
        "flip": views.flip,
    }
    matrix = [list(row) for row in found.confusion]
    if scores.whole:
        among_five = found.among_five
        classes = {
            name: {"images": sum(row), "right": row[i], "among_five": None if among_five is None else among_five[i]}
            for i, (name, row) in _by_class(data, found)
        }
        return {**head, "top1": scores.accuracy, "top5": scores.top5, "classes": classes, "confusion": matrix}
    return {
        **head,
        "pixels": scores.pixels,
        "miou": scores.miou,
        "accuracy": scores.accuracy,
        "iou": dict(zip(data.classes.names, scores.iou, strict=True)),
        "confusion": matrix,
    }
