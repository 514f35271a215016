"""Evaluation: confusion matrix, IoU and accuracy, summed exactly over images and processes.

Legend: B images, K classes, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from archdsl.data import Data, Example, Split
from archdsl.data.augment import normalise
from archdsl.train.distributed import all_reduce_sum, rank, world_size
from archdsl.train.errors import Refused
from archdsl.train.inference import InferenceNetwork, Logits
from archdsl.train.losses import is_labelled
from archdsl.train.typed_torch import whole_numbers

FIVE = 5
"""Classes among which that of a whole image is looked for (ILSVRC)."""


@dataclass(slots=True)
class Confusion:
    """The confusion matrix KxK: counts[t, p] is the number of pixels, or images, of class t predicted as p."""

    classes: int
    counts: Tensor = field(init=False)
    among_five: Tensor = field(init=False)
    """Of whole images: the number of those of each class that is among the five most likely."""
    whole: bool = False
    """Whether whole images are counted."""
    ranked: bool = False
    """Whether it is known of them which classes are likely beside the first."""

    def __post_init__(self) -> None:
        self.counts = torch.zeros(self.classes, self.classes, dtype=torch.long)
        self.among_five = torch.zeros(self.classes, dtype=torch.long)

    def add(self, predicted: Tensor, labels: Tensor) -> None:
        """Adds a batch: labels in [0, K) or IGNORE, predictions in [0, K), of the same shape."""
        labelled = is_labelled(labels)
        pairs = labels[labelled].long() * self.classes + predicted[labelled].long()
        counted = torch.bincount(pairs, minlength=self.classes**2)
        self.counts += counted.view(self.classes, self.classes).to(self.counts.device)

    def add_images(self, likely_BK: Tensor, labels_B: Tensor, *, ranked: bool = True) -> None:
        """Adds whole images: for each the logits or probabilities of its classes, and its own class.

        Of classes that are as likely the first comes first, as in `argmax`. Not `ranked` are those of which the first
        alone is known.
        """
        self.whole, self.ranked = True, ranked
        self.add(likely_BK.argmax(1), labels_B)
        if not ranked:
            return
        own_B1 = labels_B.long()[:, None]
        own = likely_BK.gather(1, own_B1)
        earlier_BK = torch.arange(self.classes)[None] < own_B1
        before_B = ((likely_BK > own) | ((likely_BK == own) & earlier_BK)).sum(1)
        self.among_five += torch.bincount(labels_B[before_B < FIVE].long(), minlength=self.classes)

    def joined(self, device: torch.device | None = None) -> Confusion:
        """That of all processes; `device` is the one on which they can reduce tensors."""
        found = Confusion(self.classes, whole=self.whole, ranked=self.ranked)
        moved = [each.to(device) if device else each for each in (self.counts, self.among_five)]
        found.counts, found.among_five = (all_reduce_sum(each).cpu() for each in moved)
        return found

    def scores(self, device: torch.device | None = None) -> Scores:
        """The scores over all processes; `device` is the one on which they can reduce tensors."""
        return Scores.of(self.joined(device))


@dataclass(frozen=True, slots=True)
class Scores:
    iou: tuple[float | None, ...]
    """Intersection over union (IoU) of each class; None for a class in neither labels nor predictions."""
    accuracy: float
    """Correct over labelled pixels, or over images (top-1), 0 to 1."""
    pixels: int
    """Labelled pixels, or images."""
    whole: bool = False
    """Whether they are of whole images."""
    top5: float | None = None
    """The share of whole images whose class is among the five most likely, 0 to 1; None where that is not known."""

    @property
    def miou(self) -> float:
        """The mean IoU over the classes that occur, 0 to 1."""
        found = [each for each in self.iou if each is not None]
        return sum(found) / len(found) if found else 0.0

    @property
    def merit(self) -> float:
        """What networks are compared by, 0 to 1: mean IoU, or of whole images top-1."""
        return self.accuracy if self.whole else self.miou

    @property
    def over(self) -> str:
        """Over which part of the classes, where that is not all: a mean over one class alone says little."""
        found = sum(each is not None for each in self.iou)
        return f", over {found} of {len(self.iou)} classes" if found < len(self.iou) else ""

    @property
    def named(self) -> dict[str, float | None]:
        """The numbers of a journal."""
        if self.whole:
            return {"top1": self.accuracy, "top5": self.top5}
        return {"miou": self.miou, "accuracy": self.accuracy}

    @property
    def text(self) -> str:
        """In words: `mIoU 41.20 %, accuracy 80.00 %`; `top-1 60.00 %, top-5 90.00 %` of whole images."""
        if not self.whole:
            return f"mIoU {100 * self.miou:.2f} %, accuracy {100 * self.accuracy:.2f} %{self.over}"
        among = "" if self.top5 is None else f", top-5 {100 * self.top5:.2f} %"
        return f"top-1 {100 * self.accuracy:.2f} %{among}{self.over}"

    @classmethod
    def of(cls, found: Confusion) -> Scores:
        counts = found.counts
        right = whole_numbers(counts.diagonal())
        either = whole_numbers(counts.sum(0) + counts.sum(1) - counts.diagonal())
        pixels = int(counts.sum())
        iou = tuple(hit / union if union else None for hit, union in zip(right, either, strict=True))
        top5 = int(found.among_five.sum()) / max(1, pixels) if found.ranked else None
        return cls(iou, sum(right) / pixels if pixels else 0.0, pixels, found.whole, top5)


@dataclass(frozen=True, slots=True)
class Views:
    """Test-time augmentation: the scales, and horizontal flips, over which class probabilities are averaged."""

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False


@torch.no_grad()
def probabilities(logits_of: Logits, images_B3HW: Tensor, multiple: int, views: Views | None = None) -> Tensor:
    """Class probabilities BxKxHxW at the size of the images, or BxK of whole images, averaged over all views.

    Images are padded at the right and bottom with zeros (the mean colour) to `multiple`; the padding is cropped again.
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
            is_map = logits.ndim > 2
            logits = logits.flip(-1) if mirrored and is_map else logits
            if is_map and logits.shape[-2:] != (height, width):
                logits = nn.functional.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
            # Of whole images the order of small probabilities counts too.
            classes = (logits.float() if is_map else logits.double()).softmax(1)
            found, count = classes if found is None else found + classes, count + 1
    assert found is not None
    return found / count


def _padded(logits_of: Logits, images_B3HW: Tensor, multiple: int) -> Tensor:
    height, width = images_B3HW.shape[-2:]
    below, right = -height % multiple, -width % multiple
    logits = logits_of(nn.functional.pad(images_B3HW, (0, right, 0, below)))
    return logits[..., :height, :width] if logits.ndim > 2 else logits


def score(
    logits_of: Logits,
    data: Data,
    examples: Iterable[tuple[Tensor, Tensor]],
    multiple: int,
    *,
    device: torch.device | None = None,
    views: Views | None = None,
) -> Scores:
    """The scores over the examples of all processes: images uint8 Bx3xHxW with labels uint8 BxHxW, or whole ones, B."""
    device = device or torch.device("cpu")
    confusion = Confusion(data.classes.count)
    for images, labels in examples:
        ready = normalise(images.to(device), data.mean, data.std)
        _count(confusion, probabilities(logits_of, ready, multiple, views).cpu(), labels)
    return confusion.scores(device if world_size() > 1 else None)


def _count(confusion: Confusion, likely: Tensor, labels: Tensor, *, ranked: bool = True) -> None:
    """Class probabilities BxKxHxW or BxK against labels BxHxW or B."""
    if likely.ndim > 2:
        confusion.add(likely.argmax(1), labels)
    else:
        confusion.add_images(likely, labels, ranked=ranked)


SCORED_TOGETHER = 4
"""The batch size of evaluation, over images of one size."""


def batched(examples: Iterable[Example], count: int, *, least: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches consecutive examples of one size: uint8 images Bx3xHxW and labels BxHxW, B at most `count`.

    The last batch of a size has `least` examples at least, where there are so many: the one before it is smaller then.
    """
    waiting: list[Example] = []
    for example in examples:
        if waiting and example.image.shape != waiting[0].image.shape:
            yield from _rest(waiting, count, least)
            waiting = []
        waiting.append(example)
        if len(waiting) == count + least:
            yield _stacked(waiting[:count])
            waiting = waiting[count:]
    yield from _rest(waiting, count, least)


def _rest(waiting: Sequence[Example], count: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:
    """What is left of a size, fewer than `count + least`: in one batch, or in two."""
    first = len(waiting) if len(waiting) <= count else len(waiting) - least
    for part in (waiting[:first], waiting[first:]):
        if part:
            yield _stacked(part)


def _stacked(examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    images = torch.stack([torch.as_tensor(each.image).permute(2, 0, 1) for each in examples])
    return images, torch.stack([torch.as_tensor(each.label) for each in examples])


def own_indices(count: int) -> Sequence[int]:
    """The indices that this process evaluates; each of `count` belongs to exactly one process."""
    return range(rank(), count, world_size())


@dataclass(frozen=True, slots=True)
class Evaluation:
    scores: Scores
    confusion: tuple[tuple[int, ...], ...]
    """The confusion matrix: confusion[t][p] is the number of pixels, or images, of class t predicted as p."""
    images: int
    among_five: tuple[int, ...] | None = None
    """Of whole images: by class the number of those whose class is among the five most likely; None if not known."""


def check(network: InferenceNetwork, data: Data, split: str, views: Views) -> tuple[str, ...]:
    """Checks that a network fits the data. Raises Refused where it does not; returns notices, a sentence each."""
    if network.whole and data.task == "segmentation":
        raise Refused(f"`{network.written}` classifies whole images, and {data.written} has a class for each pixel")
    if not network.whole and data.task == "classification":
        raise Refused(
            f"`{network.written}` gives a class for each pixel, and {data.written} has whole images in classes: score "
            "a network that ends in `global_avg_pool -> linear(classes)`"
        )
    if split not in data.splits:
        raise Refused(f"{data.written} has no split `{split}`; it has {', '.join(f'`{each}`' for each in data.splits)}")
    if network.labels and (views.flip or len(views.scales) > 1):
        raise Refused(
            f"`{network.written}` gives labels, and views are averaged before there are any: compile it with "
            "`--emit logits`, or leave out `--flip` and `--scales`"
        )
    known = network.classes
    if known is not None and known.names != data.classes.names:
        raise Refused(
            f"the classes of `{network.written}` are not those of {data.written}:\n"
            f"  the network knows {len(known.names)}: {', '.join(known.names)}\n"
            f"  {data.written} has {data.classes.count}: {', '.join(data.classes.names)}"
        )
    if network.count != data.classes.count:
        raise Refused(
            f"`{network.written}` gives {network.count} classes, and {data.written} has {data.classes.count}: "
            f"{', '.join(data.classes.names)}"
        )
    notices: list[str] = []
    if known is None:
        notices.append(f"nothing names the classes of `{network.written}`: those of {data.written} are taken, in order")
    if network.statistics is None:
        notices.append(
            f"nothing says how images were prepared for `{network.written}`: "
            f"mean and deviation of {data.written} are taken"
        )
    return tuple(notices)


def evaluate(
    network: InferenceNetwork,
    data: Data,
    split: str,
    views: Views,
    device: torch.device,
    watch: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """The scores over all processes, equal in each. `watch` is called with the number of images that are done here.

    Batches do not depend on the number of processes, so that results are the same to the pixel.
    """
    confusion = Confusion(data.classes.count)
    mean, std = network.statistics or (data.mean, data.std)
    examples, done = data.splits[split], 0
    for group in _groups(len(examples)):
        for images, labels in batched(_read(examples, group), SCORED_TOGETHER):
            ready = normalise(images.to(device), mean, std)
            likely = probabilities(network.logits, ready, network.padding_multiple, views).cpu()
            _count(confusion, likely, labels, ranked=not network.labels)
        done += len(group)
        watch(done)
    whole = confusion.joined(device if world_size() > 1 else None)
    matrix = tuple(tuple(whole_numbers(row)) for row in whole.counts)
    among_five = tuple(whole_numbers(whole.among_five)) if whole.ranked else None
    return Evaluation(Scores.of(whole), matrix, len(examples), among_five)


def share_of(count: int) -> int:
    """How many of `count` images this process evaluates."""
    return sum(map(len, _groups(count)))


def _groups(count: int) -> Sequence[range]:
    """The batches of this process, as ranges of indices; processes take turns."""
    starts = range(0, count, SCORED_TOGETHER)
    return [range(start, min(start + SCORED_TOGETHER, count)) for start in starts[rank() :: world_size()]]


def _read(split: Split, group: range) -> Iterator[Example]:
    return map(split.read, group)
