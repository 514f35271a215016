"""What a network is worth on a dataset: every pixel of a split counted once, over all processes."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from archdsl.data import Data, Example, Split
from archdsl.data.augment import normalise
from archdsl.train.evaluate import SCORED_TOGETHER, Views, probabilities, together
from archdsl.train.joined import rank, total, world
from archdsl.train.ready import Ready
from archdsl.train.refused import Refused
from archdsl.train.scores import Confusion, Scores


@dataclass(frozen=True, slots=True)
class Evaluation:
    scores: Scores
    confusion: tuple[tuple[int, ...], ...]
    """confusion[t][p]: pixels of class t that were taken for class p."""
    images: int


def check(network: Ready, data: Data, split: str, views: Views) -> tuple[str, ...]:
    """Raises Refused where a network cannot be scored on data; gives what is to be told, a sentence each."""
    if data.task != "segmentation":
        raise Refused(f"{data.written} has whole images in classes, and only segmentations are scored here")
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
    told: list[str] = []
    if known is None:
        told.append(f"nothing names the classes of `{network.written}`: those of {data.written} are taken, in order")
    if network.statistics is None:
        told.append(
            f"nothing says how images were prepared for `{network.written}`: "
            f"mean and deviation of {data.written} are taken"
        )
    return tuple(told)


def evaluate(
    network: Ready,
    data: Data,
    split: str,
    views: Views,
    device: torch.device,
    watch: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """The scores over all processes, each of which gets the same. `watch` is told of how many images are done here.

    Images go through the network in the same groups however many processes there are, so that the numbers are the
    same to the last pixel.
    """
    confusion = Confusion(data.classes.count)
    mean, std = network.statistics or (data.mean, data.std)
    examples, done = data.splits[split], 0
    for group in _groups(len(examples)):
        for images, labels in together(_read(examples, group), SCORED_TOGETHER):
            ready = normalise(images.to(device), mean, std)
            found = probabilities(network.logits, ready, network.padding_multiple, views)
            confusion.add(found.argmax(1).cpu(), labels)
        done += len(group)
        watch(done)
    counts = total(confusion.counts.to(device) if world() > 1 else confusion.counts).cpu()
    return Evaluation(Scores.of(counts), tuple(tuple(map(int, row)) for row in counts.tolist()), len(examples))


def share_of(count: int) -> int:
    """How many of so many images this process scores."""
    return sum(map(len, _groups(count)))


def _groups(count: int) -> Sequence[range]:
    """Neighbours that go together; every process takes its turn."""
    starts = range(0, count, SCORED_TOGETHER)
    return [range(start, min(start + SCORED_TOGETHER, count)) for start in starts[rank() :: world()]]


def _read(split: Split, group: range) -> Iterator[Example]:
    return map(split.read, group)
