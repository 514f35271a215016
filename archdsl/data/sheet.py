"""Contact sheets: examples with label overlays and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from archdsl.data.model import IGNORE, IMAGENET_MEAN, Bytes, Classes, Example, Split, Statistic
from archdsl.data.model import Colour as Rgb
from archdsl.settings.trainings import Colour, Crop, Flip, Scale

JPEG_TALLEST: Final = 65_500
"""Pixels that the encoder takes."""
_COLUMNS: Final = 4
_GAP: Final = 8
_TEXT: Final = 13
_OVERLAY: Final = 0.55
_PAPER: Final = (255, 255, 255)
_INK: Final = (30, 30, 30)
_IGNORED: Final = (0, 0, 0)
_WIDEST: Final = 480
_TALLEST: Final = 1920
_MOST_SWATCHES: Final = 40
_LONGEST: Final = 60
"""Letters of a name in a picture."""
_STEPS: Final = (Flip(), Scale(0.5, 2.0), Crop(), Colour(0.2, 0.2, 0.2))
"""What most papers on street scenes do."""


def sheet(examples: Sequence[tuple[str, Example]], classes: Classes) -> Image.Image:
    """Named examples, four in a row: the image, below it the image with its label over it, then the classes."""
    cells = [_cell(name, example, classes) for name, example in examples]
    width, height = max(cell.width for cell in cells), max(cell.height for cell in cells)
    columns = min(_COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    across = _GAP + columns * (width + _GAP)
    named = [*zip(map(short, classes.names), classes.colours, strict=True), ("ignored", _IGNORED)][:_MOST_SWATCHES]
    below = legend(named, across) if examples[0][1].label.ndim else Image.new("RGB", (across, 0), _PAPER)
    page = Image.new("RGB", (across, _GAP + rows * (height + _GAP) + below.height), _PAPER)
    for number, cell in enumerate(cells):
        page.paste(cell, (_GAP + number % columns * (width + _GAP), _GAP + number // columns * (height + _GAP)))
    page.paste(below, (0, page.height - below.height))
    return page


def picked(
    split: Split, count: int, *, augmented: int | None = None, mean: Statistic = IMAGENET_MEAN
) -> list[tuple[str, Example]]:
    """At most `count` examples with their names, evenly spaced; augmented by chance from this seed."""
    chosen = [i * len(split) // count for i in range(count)] if count < len(split) else range(len(split))
    examples = [(split.names[i], split.read(i)) for i in chosen]
    return examples if augmented is None else _augmented(examples, augmented, mean)


def encoded(page: Image.Image, kind: str) -> bytes:
    """A page as the bytes of a `png` or `jpg` file."""
    out = BytesIO()
    page.save(out, "PNG" if kind == "png" else "JPEG")
    return out.getvalue()


def _augmented(examples: Sequence[tuple[str, Example]], seed: int, mean: Statistic) -> list[tuple[str, Example]]:
    import torch

    from archdsl.data.augment import augment
    from archdsl.data.held import as_tensors

    generator = torch.Generator().manual_seed(seed)
    found: list[tuple[str, Example]] = []
    for name, example in examples:
        image_3HW, label_HW = as_tensors(example)
        size = (image_3HW.shape[1], image_3HW.shape[2])
        image_B3HW, label_BHW = augment(
            image_3HW[None], label_HW[None], _STEPS, size=size, generator=generator, mean=mean
        )
        found.append((name, Example(image_B3HW[0].byte().permute(1, 2, 0).numpy(), label_BHW[0].numpy())))
    return found


def overlay(image: Bytes, label: Bytes, classes: Classes, strength: float = _OVERLAY) -> Bytes:
    """HxWx3: the image with the colours of the classes over it, 0 to 1; what is ignored is darkened."""
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: classes.count] = classes.colours
    palette[IGNORE] = _IGNORED
    mixed = strength * palette[label] + (1 - strength) * image
    return mixed.astype(np.uint8)


def _cell(name: str, example: Example, classes: Classes) -> Image.Image:
    image = example.image
    if example.label.ndim:
        both = np.concatenate([image, overlay(image, example.label.astype(np.uint8), classes)])
        pictures = Image.fromarray(both)
    else:
        pictures = Image.fromarray(image)  # its class is the first part of its name
    larger = max(pictures.width / _WIDEST, pictures.height / _TALLEST)
    if larger > 1:
        pictures = pictures.resize((max(1, round(pictures.width / larger)), max(1, round(pictures.height / larger))))
    cell = Image.new("RGB", (pictures.width, pictures.height + _TEXT + 3), _PAPER)
    cell.paste(pictures)
    ImageDraw.Draw(cell).text((0, pictures.height + 1), short(name), fill=_INK, font=_font())
    return cell


def short(name: str) -> str:
    """A name as pictures show it: one line, cut where it is longer than a legend needs."""
    line = "".join(each if each.isprintable() else "?" for each in name)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def legend(named: Sequence[tuple[str, Rgb]], width: int) -> Image.Image:
    """A line of swatches with their names, broken where the sheet ends."""
    font, line = _font(), _TEXT + _GAP
    places: list[tuple[int, int]] = []
    x, y = _GAP, 0
    for name, _ in named:
        long = line + int(font.getlength(name)) + 2 * _GAP
        if x + long > width and x > _GAP:
            x, y = _GAP, y + line
        places.append((x, y))
        x += long
    strip = Image.new("RGB", (width, y + line + _GAP), _PAPER)
    pen = ImageDraw.Draw(strip)
    for (name, colour), (x, y) in zip(named, places, strict=True):
        pen.rectangle((x, y, x + _TEXT, y + _TEXT), fill=colour, outline=_INK)
        pen.text((x + line, y), name, fill=_INK, font=font)
    return strip


def _font() -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(_TEXT)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's own, which wheels bring
    return font
