"""Augmentation of batches, image and label together, on the device where they are.

Every step that moves pixels is along one axis, so all of them together are, for each image and each axis, a factor
and an offset. Image and label are read at the very same places: they cannot come apart.

Legend of shape suffixes: B images, 3 colours, H and W the source's height and width, h and w the result's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.data.model import COLOURS, IGNORE, IMAGENET_MEAN, LUMA, Statistic
from archdsl.settings.trainings import Augmentation, Colour, Crop, Flip, Scale


@dataclass(frozen=True, slots=True)
class Axis:
    """Where the result lies in the source, for each image: its x, from edge to edge, at `factor * x + offset`."""

    factor_B: Tensor
    offset_B: Tensor
    extent_B: Tensor
    """How long the result is so far."""

    @classmethod
    def whole(cls, images: int, extent: int) -> Axis:
        ones_B = torch.ones(images, dtype=torch.float64)
        return cls(ones_B, 0 * ones_B, extent * ones_B)

    def mirrored(self, where_B: Tensor) -> Axis:
        factor_B = torch.where(where_B, -self.factor_B, self.factor_B)
        offset_B = torch.where(where_B, self.offset_B + self.factor_B * self.extent_B, self.offset_B)
        return Axis(factor_B, offset_B, self.extent_B)

    def scaled(self, by_B: Tensor) -> Axis:
        return Axis(self.factor_B / by_B, self.offset_B, self.extent_B * by_B)

    def window(self, extent: int, at_B: Tensor) -> Axis:
        """So long a piece; `at_B` between 0 (the beginning) and 1 (the end). A longer piece has the whole in it."""
        start_B = (at_B * (self.extent_B - extent)).round()  # whole pixels, so that a crop alone keeps them as they are
        return Axis(self.factor_B, self.offset_B + self.factor_B * start_B, torch.full_like(start_B, extent))

    def places(self, extent: int) -> Tensor:
        """Bxn: the middles of the result's pixels, in the source, where its pixel i reaches from i to i + 1."""
        middles_n = torch.arange(extent, dtype=torch.float64) + 0.5
        return self.factor_B[:, None] * middles_n + self.offset_B[:, None]


def augment(
    images_B3HW: Tensor,
    labels_BHW: Tensor,
    steps: tuple[Augmentation, ...],
    *,
    size: tuple[int, int],
    generator: torch.Generator,
    mean: Statistic = IMAGENET_MEAN,
    colours: int = COLOURS,
) -> tuple[Tensor, Tensor]:
    """Augmented images, float32 between 0 and 255, and their labels, of the height and width of the last crop.

    Images are uint8, labels uint8; where labels have no height and width (classification) they stay as they are. A
    crop without a size takes `size`; without a crop the middle of `size` is taken. What lies outside of the source
    is `mean` (of each channel between 0 and 1) and IGNORE. Of the channels the first `colours` are recoloured, 3 of RGB
    or 1 of grey; what lies behind them is no colour. Random numbers are drawn on the CPU, so that every device gives
    the same. Between pixels images are read bilinearly, labels at the nearest one.
    """
    rows, columns = _moved(images_B3HW, steps, size, generator)
    height, width = _window(steps, size)
    y_Bh, x_Bw = rows.places(height), columns.places(width)
    images_B3hw = _read_images(images_B3HW, y_Bh, x_Bw)
    for step in steps:
        if isinstance(step, Colour):
            recoloured = _coloured(images_B3hw[:, :colours], step, generator)
            images_B3hw = torch.cat([recoloured, images_B3hw[:, colours:]], dim=1)
    inside_Bhw = _inside(y_Bh, images_B3HW.shape[2])[:, :, None] & _inside(x_Bw, images_B3HW.shape[3])[:, None, :]
    inside_Bhw = inside_Bhw.to(images_B3HW.device)
    padding_3 = 255 * torch.tensor(mean, dtype=torch.float32, device=images_B3HW.device)
    images_B3hw = torch.where(inside_Bhw[:, None], images_B3hw, padding_3[:, None, None])
    if labels_BHW.ndim == 1:
        return images_B3hw, labels_BHW
    return images_B3hw, _read_labels(labels_BHW, y_Bh, x_Bw).masked_fill_(~inside_Bhw, IGNORE)


def normalise(images_B3HW: Tensor, mean: Statistic, std: Statistic) -> Tensor:
    """float32 B3HW: bytes, or numbers between 0 and 255, less the mean and over the deviation of RGB from 0 to 1."""
    mean_3 = 255 * torch.tensor(mean, dtype=torch.float32, device=images_B3HW.device)
    std_3 = 255 * torch.tensor(std, dtype=torch.float32, device=images_B3HW.device)
    return (images_B3HW.float() - mean_3[:, None, None]) / std_3[:, None, None]


def _moved(
    images_B3HW: Tensor, steps: Sequence[Augmentation], size: tuple[int, int], generator: torch.Generator
) -> tuple[Axis, Axis]:
    images, _, height, width = images_B3HW.shape

    def drawn() -> Tensor:
        return torch.rand(images, generator=generator, dtype=torch.float64)

    rows, columns = Axis.whole(images, height), Axis.whole(images, width)
    for step in steps:
        match step:
            case Flip():
                columns = columns.mirrored(drawn() < 0.5)
            case Scale():
                by_B = step.low + (step.high - step.low) * drawn()
                rows, columns = rows.scaled(by_B), columns.scaled(by_B)
            case Crop():
                h, w = step.size or size
                rows, columns = rows.window(h, drawn()), columns.window(w, drawn())
            case Colour():
                pass
            case _:
                assert_never(step)
    if not any(isinstance(step, Crop) for step in steps):
        middle_B = torch.full((images,), 0.5, dtype=torch.float64)
        rows, columns = rows.window(size[0], middle_B), columns.window(size[1], middle_B)
    return rows, columns


def _window(steps: Sequence[Augmentation], size: tuple[int, int]) -> tuple[int, int]:
    crops = [step.size or size for step in steps if isinstance(step, Crop)]
    return crops[-1] if crops else size


def _inside(places: Tensor, extent: int) -> Tensor:
    return (places >= 0) & (places < extent)


def _read_images(images_B3HW: Tensor, y_Bh: Tensor, x_Bw: Tensor) -> Tensor:
    """Bilinear, B3hw; beyond the edge what lies at the edge."""
    _, _, height, width = images_B3HW.shape
    device = images_B3HW.device
    y_Bh, x_Bw = (2 * y_Bh / height - 1).float().to(device), (2 * x_Bw / width - 1).float().to(device)
    across_Bhw = x_Bw[:, None, :].expand(-1, y_Bh.shape[1], -1)
    grid_Bhw2 = torch.stack((across_Bhw, y_Bh[:, :, None].expand_as(across_Bhw)), dim=-1)
    return functional.grid_sample(images_B3HW.float(), grid_Bhw2, padding_mode="border", align_corners=False)


def _read_labels(labels_BHW: Tensor, y_Bh: Tensor, x_Bw: Tensor) -> Tensor:
    """Nearest, Bhw; beyond the edge what lies at the edge."""
    images, height, width = labels_BHW.shape
    row_Bh = y_Bh.floor().long().clamp(0, height - 1).to(labels_BHW.device)
    column_Bw = x_Bw.floor().long().clamp(0, width - 1).to(labels_BHW.device)
    image_B = torch.arange(images, device=labels_BHW.device)
    return labels_BHW[image_B[:, None, None], row_Bh[:, :, None], column_Bw[:, None, :]]


def _coloured(images_B3HW: Tensor, step: Colour, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, in this order, each image by factors of its own."""

    def factor(reach: float) -> Tensor:
        drawn_B = 1 + reach * (2 * torch.rand(len(images_B3HW), generator=generator) - 1)
        return drawn_B[:, None, None, None].to(images_B3HW.device)

    bright_B3HW = (images_B3HW * factor(step.brightness)).clamp_(0, 255)
    middle_B = _grey(bright_B3HW).mean(dim=(1, 2, 3), keepdim=True)
    contrasted_B3HW = torch.lerp(middle_B, bright_B3HW, factor(step.contrast)).clamp_(0, 255)
    return torch.lerp(_grey(contrasted_B3HW), contrasted_B3HW, factor(step.saturation)).clamp_(0, 255)


def _grey(images_B3HW: Tensor) -> Tensor:
    """B1HW: luma of RGB as in ITU-R BT.601; grey as it is."""
    if images_B3HW.shape[1] == 1:
        return images_B3HW
    weights_3 = torch.tensor(LUMA, device=images_B3HW.device)
    return (images_B3HW * weights_3[:, None, None]).sum(dim=1, keepdim=True)
