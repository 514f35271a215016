"""Prediction: the class of each pixel of an image, and a picture of the classes.

Legend of shape suffixes: B images, K classes, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from archdsl.data import Classes
from archdsl.data.augment import normalise
from archdsl.data.folder import covered
from archdsl.data.inputs import statistics
from archdsl.data.model import IMAGENET_MEAN, IMAGENET_STD, Bytes
from archdsl.data.sheet import legend, overlay, short
from archdsl.train.errors import Refused
from archdsl.train.evaluate import Views, probabilities
from archdsl.train.inference import InferenceNetwork
from archdsl.train.typed_torch import whole_numbers


def notices_of(network: InferenceNetwork) -> tuple[str, ...]:
    """What a user should know, a sentence each."""
    if network.statistics is not None:
        return network.notices
    said = f"nothing says how images were prepared for `{network.written}`: mean and deviation of ImageNet are taken"
    return (*network.notices, said)


def check_views(network: InferenceNetwork, views: Views) -> None:
    """Raises Refused where views cannot be averaged."""
    if network.labels and (views.flip or len(views.scales) > 1):
        raise Refused(f"`{network.written}` gives labels, and views are averaged before there are any")


MOST = 5
"""Classes of a whole image that are listed."""


@torch.no_grad()
def classify(
    network: InferenceNetwork,
    image: Bytes,
    device: torch.device,
    *,
    size: tuple[int, int],
    views: Views | None = None,
) -> list[tuple[int, float | None]]:
    """The most likely classes of a whole image, uint8 HxWxC, with their probabilities, the likeliest first.

    Of a file that gives labels it is the one class that it gives, without a probability.

    It is scaled until it covers `size` (height, width), and its middle is taken, as folders of images are read.
    Raises Refused where it does not fit a compiled file.
    """
    seen = covered(image, network.inputs, size)
    image_B3HW = torch.as_tensor(np.ascontiguousarray(seen.transpose(2, 0, 1)))[None].to(device)
    ready = normalise(image_B3HW, *(network.statistics or statistics(network.inputs, IMAGENET_MEAN, IMAGENET_STD)))
    (shares_K,) = probabilities(network.logits, ready, network.padding_multiple, views).cpu()
    if network.labels:
        return [(int(shares_K.argmax()), None)]
    order = shares_K.sort(descending=True, stable=True)
    likely = zip(whole_numbers(order.indices), order.values, strict=True)
    return [(number, float(share)) for number, share in list(likely)[:MOST]]


def caption(image: Bytes, found: Sequence[tuple[int, float | None]], classes: Classes) -> Image.Image:
    """The image, and below it its likely classes with their probabilities."""
    page = Image.fromarray(image)
    if not found:
        return page
    entries = [
        (short(classes.names[i]) + ("" if share is None else f" {_percent(share)}"), classes.colours[i])
        for i, share in found
    ]
    return _with_legend(page, entries)


@torch.no_grad()
def predict(
    network: InferenceNetwork,
    image: Bytes,
    device: torch.device,
    *,
    size: tuple[int, int] | None = None,
    views: Views | None = None,
) -> Bytes:
    """The class of each pixel, uint8 HxW, of an image uint8 HxWxC, the channels of all inputs.

    The image is resized to `size` (height, width) if there is one, and the probabilities are resized back to the
    size of the image. Raises Refused where an image does not fit a compiled file, or views cannot be averaged.
    """
    views = views or Views()
    check_views(network, views)
    image_B3HW = torch.as_tensor(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].to(device)
    ready = normalise(image_B3HW, *(network.statistics or statistics(network.inputs, IMAGENET_MEAN, IMAGENET_STD)))
    if size is not None and size != image.shape[:2]:
        ready = nn.functional.interpolate(ready, size, mode="bilinear", align_corners=False, antialias=True)
    shares_BKHW = probabilities(network.logits, ready, network.padding_multiple, views)
    if shares_BKHW.shape[-2:] != image.shape[:2]:
        shares_BKHW = nn.functional.interpolate(shares_BKHW, image.shape[:2], mode="bilinear", align_corners=False)
    return shares_BKHW.argmax(1)[0].to(torch.uint8).cpu().numpy()


_SMALLEST: Final = 12
"""The side of the smallest square that a number fits into, in pixels."""
_GAP: Final = 6
_INK: Final = (20, 20, 20)
_PAPER: Final = (255, 255, 255)


def picture(image: Bytes, labels: Bytes, classes: Classes, *, strength: float, with_legend: bool) -> Image.Image:
    """The image with an overlay of class colours; regions have edges, and numbers where there is room.

    Below it stands what the numbers and colours mean, of the classes that occur, with the share of the pixels.
    """
    page = Image.fromarray(_edged(overlay(image, labels, classes, strength), labels))
    _number(page, labels)
    if not with_legend:
        return page
    pixels: list[int] = np.bincount(labels.ravel(), minlength=classes.count).tolist()
    entries = [
        (f"{number} {short(classes.names[number])} {_percent(count / labels.size)}", classes.colours[number])
        for number, count in sorted(enumerate(pixels), key=lambda each: -each[1])
        if count
    ]
    return _with_legend(page, entries)


def _with_legend(page: Image.Image, entries: list[tuple[str, tuple[int, int, int]]]) -> Image.Image:
    below = legend(entries, max(page.width, _widest(entries)))
    whole = Image.new("RGB", (max(page.width, below.width), page.height + _GAP + below.height), _PAPER)
    whole.paste(page)
    whole.paste(below, (0, page.height + _GAP))
    return whole


def label_picture(labels: Bytes, classes: Classes) -> Image.Image:
    """A palette image: class indices, with the class colours as the palette."""
    found = Image.fromarray(labels)
    found.putpalette([part for colour in classes.colours for part in colour])
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "<0.1 %"


def _edged(painted: Bytes, labels: Bytes) -> Bytes:
    """Darkens the edges of regions, so that colour is not the only distinction."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    darker = painted.copy()
    darker[edge] //= 3
    return darker


def _number(page: Image.Image, labels: Bytes) -> None:
    """Draws each class's number at the centre of the largest square inside of it, where there is room."""
    pen = ImageDraw.Draw(page)
    for number in np.unique(labels).tolist():
        side, y, x = largest_square(labels == number)
        if side >= _SMALLEST:
            font = ImageFont.load_default(min(28, max(10, side // 2)))
            at = (x + side // 2, y + side // 2)
            pen.text(at, str(number), fill=_PAPER, font=font, anchor="mm", stroke_width=1, stroke_fill=_INK)


def largest_square(inside: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Side, top and left of the largest square inside, its side within a quarter; 0 where there is none."""
    sums = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = inside.cumsum(0, dtype=np.int64).cumsum(1)
    for side in _sides(min(inside.shape)):
        full = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] == side * side
        if full.any():
            places = np.argwhere(full)
            y, x = places[len(places) // 2]
            return side, int(y), int(x)
    return 0, 0, 0


def _sides(most: int) -> Iterator[int]:
    while most > _SMALLEST:
        yield most
        most = max(_SMALLEST, most * 3 // 4)
    if most == _SMALLEST:
        yield most


def _widest(entries: list[tuple[str, tuple[int, int, int]]]) -> int:
    """The width of the longest entry in pixels; a legend may be wider than its image."""
    font = ImageFont.load_default(13)
    return max(int(font.getlength(text)) for text, _ in entries) + 60
