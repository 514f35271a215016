"""Scores of a network on images of their full size. Legend: B images, K classes, H height, W width."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from archdsl.data import Data, Example
from archdsl.data.augment import normalise
from archdsl.train.joined import rank, world
from archdsl.train.scores import Confusion, Scores

Logits = Callable[[Tensor], Tensor]
"""Images Bx3xHxW as the network reads them to logits BxKxHxW; H and W are multiples of what the network needs."""


@dataclass(frozen=True, slots=True)
class Views:
    """The views of an image whose class probabilities are averaged."""

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False


@torch.no_grad()
def probabilities(logits_of: Logits, images_B3HW: Tensor, multiple: int, views: Views | None = None) -> Tensor:
    """The mean class probabilities over all views, BxKxHxW, at the size of the images.

    Images are padded with zeros, the mean colour, at the right and below to a multiple, and the rest is cut off.
    """
    views = views or Views()
    height, width = images_B3HW.shape[-2:]
    found: Tensor | None = None
    count = 0
    for scale in views.scales:
        scaled = images_B3HW
        if scale != 1.0:
            size = (max(1, round(height * scale)), max(1, round(width * scale)))
            scaled = nn.functional.interpolate(
                images_B3HW, size, mode="bilinear", align_corners=False, antialias=scale < 1
            )
        for mirrored in (False, True) if views.flip else (False,):
            seen = scaled.flip(-1) if mirrored else scaled
            logits = _padded(logits_of, seen, multiple)
            logits = logits.flip(-1) if mirrored else logits
            if logits.shape[-2:] != (height, width):
                logits = nn.functional.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
            classes = logits.float().softmax(1)
            found, count = classes if found is None else found + classes, count + 1
    assert found is not None
    return found / count


def _padded(logits_of: Logits, images_B3HW: Tensor, multiple: int) -> Tensor:
    height, width = images_B3HW.shape[-2:]
    below, right = -height % multiple, -width % multiple
    logits = logits_of(nn.functional.pad(images_B3HW, (0, right, 0, below)))
    return logits[..., :height, :width]


def score(
    logits_of: Logits,
    data: Data,
    examples: Iterable[tuple[Tensor, Tensor]],
    multiple: int,
    *,
    device: torch.device | None = None,
    views: Views | None = None,
) -> Scores:
    """Over all examples of all processes: each gives its own. Images are uint8 Bx3xHxW, labels uint8 BxHxW."""
    device = device or torch.device("cpu")
    confusion = Confusion(data.classes.count)
    for images, labels in examples:
        ready = normalise(images.to(device), data.mean, data.std)
        confusion.add(probabilities(logits_of, ready, multiple, views).argmax(1).cpu(), labels)
    return confusion.joined(device if world() > 1 else None)


@torch.no_grad()
def score_images(
    logits_of: Logits, data: Data, examples: Iterable[tuple[Tensor, Tensor]], *, device: torch.device | None = None
) -> Scores:
    """Of a classifier: images uint8 Bx3xHxW, labels B, logits BxKx1x1."""
    device = device or torch.device("cpu")
    confusion = Confusion(data.classes.count)
    for images, labels in examples:
        ready = normalise(images.to(device), data.mean, data.std)
        confusion.add(logits_of(ready).argmax(1).flatten().cpu(), labels)
    return confusion.joined(device if world() > 1 else None)


SCORED_TOGETHER = 4
"""So many images of equal size go through a network at once."""


def together(examples: Iterable[Example], count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Neighbours of equal size as one batch: uint8 images Bx3xHxW and labels BxHxW, B at most `count`."""
    waiting: list[Example] = []
    for example in examples:
        if waiting and (len(waiting) == count or example.image.shape != waiting[0].image.shape):
            yield _stacked(waiting)
            waiting = []
        waiting.append(example)
    if waiting:
        yield _stacked(waiting)


def _stacked(examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    images = torch.stack([torch.from_numpy(each.image).permute(2, 0, 1) for each in examples])
    return images, torch.stack([torch.as_tensor(each.label) for each in examples])


def mine(count: int) -> Sequence[int]:
    """The examples that this process scores: every one belongs to one process."""
    return range(rank(), count, world())
