"""`archdsl predict`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import FrameSize, Other, device, output_name, overrides, text_or_json, views
from archdsl.cli.output import note, plural, say, say_json
from archdsl.cli.progress import Bar
from archdsl.extras import require_for

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class _Job:
    image: Path
    out: Path | None
    """The path of the picture; None where a whole image is classified and nothing is drawn."""
    labels: Path | None
    """The path of the label image, if one was requested."""


@click.command("predict")
@click.argument("what", metavar="WHAT")
@click.argument("images", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="A .png, or a folder for it; whole images are classified without one too.",
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
@click.option(
    "--with",
    "others",
    type=Other(),
    multiple=True,
    metavar="NAME=PATH",
    help="The image of another input, `depth=d.png`; beside a folder a folder, with files of the same names.",
)
@views
@device
@output_name
@overrides
@text_or_json
def command(
    what: str,
    images: Path,
    out: Path | None,
    weights: Path | None,
    overlay: float,
    labels: bool,
    legend: bool,
    size: tuple[int, int] | None,
    others: tuple[tuple[str, Path], ...],
    flip: bool,
    scales: tuple[float, ...],
    device: str,
    output: str | None,
    overrides: tuple[tuple[str, str], ...],
    form: str,
) -> int:
    """Predict the classes of an image, or of each image in a folder, and draw them over it.

    Of a classifier of whole images the likeliest classes are printed, and with `-o` stand below the image.

    WHAT is the folder of a run, a text with `--weights`, or a compiled `.onnx` file. Sizes that do not divide are
    padded. Images are never written over. What cannot be read in a folder is named, and the others are predicted.
    """
    require_for("predict")
    if what.endswith(".onnx"):
        require_for("predict FILE.onnx")

    from archdsl.data.class_colours import numbered
    from archdsl.data.folder import SIZE
    from archdsl.data.frames import read_image, read_inputs
    from archdsl.data.images import Unreadable
    from archdsl.data.model import RGB
    from archdsl.train.errors import Refused
    from archdsl.train.evaluate import Views
    from archdsl.train.inference import NetworkRequest, device_of, open_network
    from archdsl.train.predict import caption, check_views, classify, label_picture, notices_of, picture, predict

    jobs = _jobs(images, out)
    request = NetworkRequest(what, weights, dict(overrides), output)
    with errors_shown(form):
        where = device_of(device, request)
        network = open_network(request, where)
    if out is None and not network.whole:
        raise click.UsageError(f"`{what}` gives a class for each pixel, and a picture is drawn of them: add `-o OUT`")
    if labels and network.whole:
        raise Refused(f"`{what}` classifies whole images, which have no map of labels: leave out `--labels`")
    beside = _beside(what, images, dict(others), [each.name for each in network.inputs])
    seen = Views(scales, flip)
    check_views(network, seen)
    for sentence in notices_of(network):
        note(sentence)
    classes = network.classes or numbered(network.count)
    written: list[Path] = []
    found: list[tuple[Path, list[tuple[str, float | None]]]] = []
    left_out: list[tuple[Path, str]] = []
    with Bar() as bar:
        for done, job in enumerate(jobs):
            bar.show(done, len(jobs), job.image.name)
            pictures: list[tuple[Path | None, Image.Image]] = []
            try:
                stacked = read_inputs((job.image, *beside(job.image)), None, network.inputs)
                image = stacked if network.inputs == RGB else read_image(job.image, None)
                if network.whole:
                    likely = classify(network, stacked, where, size=size or SIZE, views=seen)
                    found.append((job.image, [(classes.names[i], share) for i, share in likely]))
                    pictures.append((job.out, caption(image, likely if legend else (), classes)))
                else:
                    pixels = predict(network, stacked, where, size=size, views=seen)
                    pictures.append((job.out, picture(image, pixels, classes, strength=overlay, with_legend=legend)))
                    pictures += [(job.labels, label_picture(pixels, classes))] if labels else []
            except (Unreadable, Refused) as error:
                if not images.is_dir():
                    raise
                message = str(error) if isinstance(error, Unreadable) else f"`{job.image}`: {error}"
                bar.print(message)
                left_out.append((job.image, message))
                continue
            written += _written(pictures)
    if form == "json":
        say_json(
            {
                "network": what,
                "classes": list(classes.names),
                "files": [str(each) for each in written],
                **({"images": [_object(*each) for each in found]} if network.whole else {}),
                "problems": [{"path": str(each), "message": message} for each, message in left_out],
            }
        )
    else:
        say("".join(_line(*each) for each in found) + "".join(f"{each}\n" for each in written))
        if left_out:
            note(f"{len(left_out):,} of {plural(len(jobs), 'image')} left out")
    return Exit.FINDINGS if left_out else Exit.FINE


def _written(pictures: Sequence[tuple[Path | None, Image.Image]]) -> Iterator[Path]:
    """Writes those that have a place."""
    from archdsl.staging import write_atomic

    for place, page in pictures:
        if place is not None:
            write_atomic(place, _png(page))
            yield place


def _line(image: Path, likely: Sequence[tuple[str, float | None]]) -> str:
    named = (name if share is None else f"{name} {100 * share:.1f} %" for name, share in likely)
    return f"{image}  {', '.join(named)}\n"


def _object(image: Path, likely: Sequence[tuple[str, float | None]]) -> dict[str, Any]:
    return {"path": str(image), "likely": [{"class": name, "probability": share} for name, share in likely]}


def _beside(
    what: str, images: Path, others: Mapping[str, Path], inputs: Sequence[str]
) -> Callable[[Path], tuple[Path, ...]]:
    """Gives the files of the other inputs of an image, in the order of the text. Raises Refused."""
    from archdsl.data.layout import by_name, pictures
    from archdsl.train.errors import Refused

    first, *names = inputs
    listed = ", ".join(f"`{name}`" for name in names)
    for name in others:
        if name not in names:
            reads = f"beside `{first}` it reads {listed}" if names else f"it reads `{first}` alone"
            raise Refused(f"`{what}` has no other input `{name}`: {reads}")
    for name in names:
        if name not in others:
            kind = "FOLDER" if images.is_dir() else "FILE"
            raise Refused(f"`{what}` reads {listed} beside `{first}`: give it with `--with {name}={kind}`")
        if others[name].is_dir() != images.is_dir():
            wanted = "a folder" if images.is_dir() else "a file"
            raise Refused(f"`{others[name]}` of `--with {name}` has to be {wanted}, as `{images}` is")
    if not images.is_dir():
        return lambda _: tuple(others[name] for name in names)
    files = {name: by_name(pictures(others[name]))[0] for name in names}
    return lambda image: tuple(
        files[name].get(image.stem, others[name] / f"{image.stem}{image.suffix}") for name in names
    )


def _jobs(images: Path, out: Path | None) -> list[_Job]:
    """Raises Refused before anything is written."""
    from archdsl.api import Refused
    from archdsl.data.images import SUFFIXES
    from archdsl.data.layout import pictures

    found = pictures(images) if images.is_dir() else [images]
    if not found:
        raise Refused(f"there are no images in `{images}` (they end in {', '.join(SUFFIXES)})")
    if out is None:
        return [_Job(each, None, None) for each in found]
    if out.suffix.lower() != ".png" and out.resolve() == (images if images.is_dir() else images.parent).resolve():
        raise Refused(f"the images are in `{out}` themselves: give another folder with `-o`")
    if not images.is_dir():
        place = out if out.suffix.lower() == ".png" else out / f"{images.stem}.png"
        jobs = [_job(images, place)]
    elif out.suffix.lower() == ".png":
        raise Refused(f"`{images}` is a folder and `{out}` a file: name a folder to write to")
    else:
        jobs = [_job(each, out / name) for each, name in zip(found, _names(found), strict=True)]
    inputs = {place for job in jobs for place in (job.image.resolve(), _itself(job.image))}
    for job in jobs:
        for place in (job.out, job.labels):
            if place is not None and (place.resolve() in inputs or _itself(place) in inputs):
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
