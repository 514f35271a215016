"""`archdsl predict`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import FrameSize, device, overrides, text_or_json, views
from archdsl.cli.output import note, plural, say, say_json
from archdsl.cli.progress import Bar
from archdsl.extras import require_for

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class _Job:
    image: Path
    out: Path
    labels: Path
    """The path of the label image, if one was requested."""


@click.command("predict")
@click.argument("what", metavar="WHAT")
@click.argument("images", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="OUT", help="A .png, or a folder for it."
)
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True), metavar="W", help="A file of weights or a run."
)
@click.option(
    "--overlay", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="How much of the colours is seen."
)
@click.option("--labels", is_flag=True, help="Write the indices of the classes too, as NAME.labels.png.")
@click.option("--legend/--no-legend", default=True, show_default=True, help="Below the image.")
@click.option("--size", type=FrameSize(), metavar="HxW", help="Scale images to this size for the network.")
@views
@device
@overrides
@text_or_json
def command(
    what: str,
    images: Path,
    out: Path,
    weights: Path | None,
    overlay: float,
    labels: bool,
    legend: bool,
    size: tuple[int, int] | None,
    flip: bool,
    scales: tuple[float, ...],
    device: str,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Predict the classes of an image, or of each image in a folder, and draw them over it.

    WHAT is the folder of a run, a text with `--weights`, or a compiled `.onnx` file. Sizes that do not divide are
    padded. Images are never written over. What cannot be read in a folder is named, and the others are predicted.
    """
    require_for("predict")
    if what.endswith(".onnx"):
        require_for("predict FILE.onnx")

    from archdsl.data.class_colours import numbered
    from archdsl.data.frames import read_image
    from archdsl.data.images import Unreadable
    from archdsl.files import write_atomic
    from archdsl.train.errors import Refused
    from archdsl.train.evaluate import Views
    from archdsl.train.inference import NetworkRequest, device_of, open_network
    from archdsl.train.predict import check_views, label_picture, notices_of, picture, predict

    jobs = _jobs(images, out)
    request = NetworkRequest(what, weights, dict(overrides))
    with errors_shown(form):
        where = device_of(device, request)
        network = open_network(request, where)
    seen = Views(scales, flip)
    check_views(network, seen)
    for sentence in notices_of(network):
        note(sentence)
    classes = network.classes or numbered(network.count)
    written: list[Path] = []
    left_out: list[tuple[Path, str]] = []
    with Bar() as bar:
        for done, job in enumerate(jobs):
            bar.show(done, len(jobs), job.image.name)
            try:
                image = read_image(job.image, None)
                found = predict(network, image, where, size=size, views=seen)
            except (Unreadable, Refused) as error:
                if not images.is_dir():
                    raise
                message = str(error) if isinstance(error, Unreadable) else f"`{job.image}`: {error}"
                bar.print(message)
                left_out.append((job.image, message))
                continue
            page = picture(image, found, classes, strength=overlay, with_legend=legend)
            write_atomic(job.out, _png(page))
            written.append(job.out)
            if labels:
                write_atomic(job.labels, _png(label_picture(found, classes)))
                written.append(job.labels)
    if form == "json":
        problems = [{"path": str(each), "message": message} for each, message in left_out]
        files = [str(each) for each in written]
        say_json({"network": what, "classes": list(classes.names), "files": files, "problems": problems})
    else:
        say("".join(f"{each}\n" for each in written))
        if left_out:
            note(f"{len(left_out):,} of {plural(len(jobs), 'image')} left out")
    return Exit.FINDINGS if left_out else Exit.FINE


def _jobs(images: Path, out: Path) -> list[_Job]:
    """Raises Refused before anything is written."""
    from archdsl.api import Refused
    from archdsl.data.images import SUFFIXES
    from archdsl.data.layout import pictures

    if out.suffix.lower() != ".png" and out.resolve() == (images if images.is_dir() else images.parent).resolve():
        raise Refused(f"the images are in `{out}` themselves: give another folder with `-o`")
    if not images.is_dir():
        place = out if out.suffix.lower() == ".png" else out / f"{images.stem}.png"
        jobs = [_job(images, place)]
    elif out.suffix.lower() == ".png":
        raise Refused(f"`{images}` is a folder and `{out}` a file: name a folder to write to")
    else:
        found = pictures(images)
        if not found:
            raise Refused(f"there are no images in `{images}` (they end in {', '.join(SUFFIXES)})")
        jobs = [_job(each, out / name) for each, name in zip(found, _names(found), strict=True)]
    inputs = {place for job in jobs for place in (job.image.resolve(), _itself(job.image))}
    for job in jobs:
        for place in (job.out, job.labels):
            if place.resolve() in inputs or _itself(place) in inputs:
                raise Refused(f"`{place}` is one of the images: give another place with `-o`")
    return jobs


def _job(image: Path, out: Path) -> _Job:
    return _Job(image, out, out.with_name(f"{out.stem}.labels.png"))


def _names(images: Sequence[Path]) -> Iterator[str]:
    """Of the pictures: images that differ in their suffix alone keep it."""
    stems = Counter(each.stem for each in images)
    for each in images:
        yield f"{each.stem}.png" if stems[each.stem] == 1 else f"{each.name}.png"


def _itself(place: Path) -> Path:
    """The place of a file, or of a link, in its true folder."""
    return place.parent.resolve() / place.name


def _png(page: Image.Image) -> bytes:
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()
