"""What colour and position alone are worth on the drawn streets: `python -m benchmarks.streets`.

Tables over quantised colour and position are learnt on scenes to train with, and a small convolutional network is
trained on the same ones. On scenes of other districts the best table has to stay below half the network's mIoU.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass
from time import process_time
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.data import Batches, Held, hold, open_data
from archdsl.data.augment import augment, normalise
from archdsl.data.model import IGNORE
from archdsl.settings.trainings import Colour, Crop, Flip, Scale
from archdsl.train.typed_torch import backward, manual_seed
from benchmarks.report import Row, report

CLASSES: Final = 11
_HALVES: Final = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Table:
    """What a pixel is by the bins that its colour and its place fall into."""

    colours: int
    """Bins of each of R, G and B."""
    places: int
    """Bins of the height and of the width."""
    joint: bool
    """One table of both, or two whose likelihoods are multiplied (naive Bayes)."""
    prior: float
    """The power of the classes' shares: 1 for the most pixels right, 0 for the fairest to rare classes."""

    def predict(self, train: Held, val: Held) -> Tensor:
        """NxHxW: the class of each pixel of `val`."""
        labels = train.labels_NHW.flatten().long()
        labelled = labels != IGNORE
        labels = labels[labelled]
        colour_t, place_t = (each[labelled] for each in self._bins(train))
        colour_v, place_v = self._bins(val)
        shares = torch.bincount(labels, minlength=CLASSES).double() / len(labels)
        score = self.prior * shares.log()[:, None]
        if self.joint:
            size = self.places**2
            score = score + _likelihood(colour_t * size + place_t, labels, self.colours**3 * size)
            return score.argmax(0)[colour_v * size + place_v].view_as(val.labels_NHW)
        colour = _likelihood(colour_t, labels, self.colours**3)
        place = _likelihood(place_t, labels, self.places**2)
        best = (score[:, :, None] + colour[:, :, None] + place[:, None, :]).argmax(0)
        return best[colour_v, place_v].view_as(val.labels_NHW)

    def _bins(self, held: Held) -> tuple[Tensor, Tensor]:
        images, _, height, width = held.images_N3HW.shape
        red, green, blue = (held.images_N3HW.long() * self.colours // 256).unbind(1)
        row = torch.arange(height)[:, None] * self.places // height
        column = torch.arange(width)[None, :] * self.places // width
        place = (row * self.places + column).expand(images, height, width)
        return ((red * self.colours + green) * self.colours + blue).flatten(), place.flatten()


_BINS: Final = ((1, 16), (8, 1), (4, 8), (4, 16), (8, 16), (16, 8))
TABLES: Final = tuple(
    Table(*bins, joint, prior) for bins in _BINS for joint in (False, True) for prior in (0.0, 0.5, 1.0)
)


def _likelihood(bins: Tensor, labels: Tensor, size: int) -> Tensor:
    """The logarithm of how often a class falls into each bin, one pixel in each bin added: CLASSES x size."""
    counts = torch.bincount(labels * size + bins, minlength=CLASSES * size).view(CLASSES, size).double() + 1
    return (counts / counts.sum(1, keepdim=True)).log()


class Small(nn.Module):
    """Down to an eighth, three dilated layers there, and up again over two skips: 0.2 M parameters."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.second = _layer(3, width, stride=2)
        self.fourth = _layer(width, 2 * width, stride=2)
        self.eighth = _layer(2 * width, 3 * width, stride=2)
        self.wide = nn.Sequential(*(_layer(3 * width, 3 * width, dilation=d) for d in (1, 2, 4)))
        self.join = _layer(5 * width, 2 * width)
        self.out = nn.Conv2d(3 * width, CLASSES, 3, padding=1)

    def forward(self, x_B3HW: Tensor) -> Tensor:
        second = self.second(x_B3HW)
        fourth = self.fourth(second)
        wide = _up(self.wide(self.eighth(fourth)))
        joined = _up(self.join(torch.cat([wide, fourth], 1)))
        return _up(self.out(torch.cat([joined, second], 1)))


def _layer(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _up(x_BCHW: Tensor) -> Tensor:
    return functional.interpolate(x_BCHW, scale_factor=2, mode="bilinear", align_corners=False)


def trained(train: Held, cpu_s: float) -> Small:
    """The network after so many CPU seconds of training."""
    manual_seed(0)
    network, generator = Small(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    steps = (Flip(), Scale(0.8, 1.6), Crop(), Colour(0.2, 0.2, 0.2))
    size = (train.images_N3HW.shape[2], train.images_N3HW.shape[3])
    batches = Batches(train, batch=8, seed=0)
    shares = torch.bincount(train.labels_NHW.flatten(), minlength=CLASSES) / train.labels_NHW.numel()
    weights = shares.rsqrt() / shares.rsqrt().mean()
    begun = process_time()
    for images, labels, _ in (batch for n in itertools.count() for batch in batches.epoch(n)):
        gone = (process_time() - begun) / cpu_s
        if gone >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * (1 - gone) ** 0.9
        moved, marked = augment(images, labels, steps, size=size, generator=generator, mean=_HALVES)
        logits = network(normalise(moved, _HALVES, _HALVES))
        loss = functional.cross_entropy(logits, marked.long(), weights, ignore_index=255)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]
    return network.eval()


def predicted(network: nn.Module, val: Held) -> Tensor:
    with torch.no_grad():
        parts = [network(normalise(each, _HALVES, _HALVES)).argmax(1) for each in torch.split(val.images_N3HW, 8)]
    return torch.cat(parts)


def ious(predicted_NHW: Tensor, held: Held) -> Tensor:
    """Of each class; NaN for one that neither occurs nor is predicted."""
    labels = held.labels_NHW.flatten().long()
    labelled = labels != IGNORE
    pairs = labels[labelled] * CLASSES + predicted_NHW.flatten()[labelled]
    confusion = torch.bincount(pairs, minlength=CLASSES**2).view(CLASSES, CLASSES).double()
    both = confusion.diag()
    return both / (confusion.sum(0) + confusion.sum(1) - both)


def best_table(train: Held, val: Held) -> tuple[Table, Tensor]:
    """The table that does best on the very scenes that it is judged by: no other choice would favour it more."""
    found = [(table, ious(table.predict(train, val), val)) for table in TABLES]
    return max(found, key=lambda each: float(each[1].nanmean()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of CPU time that the network is trained for")
    parser.add_argument("--scenes", type=int, default=512, help="to train with; a quarter as many to judge by")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = open_data("streets", size=(96, 192), count=arguments.scenes)
    train, val = hold(data.splits["train"]), hold(data.splits["val"])
    table, by_table = best_table(train, val)
    by_network = ious(predicted(trained(train, arguments.seconds), val), val)
    print(f"  {'class':10} {'table':>6} {'network':>8}")
    for name, one, other in zip(data.classes.names, by_table, by_network, strict=True):
        print(f"  {name:10} {float(one):6.3f} {float(other):8.3f}")
    low, high = float(by_table.nanmean()), float(by_network.nanmean())
    row = Row(f"mIoU of the best of {len(TABLES)} tables over the network's", low / high, 0.5, "")
    return report(
        "streets", [row], f"mIoU {low:.3f} by {table}, {high:.3f} after {arguments.seconds:g} CPU s of training"
    )


if __name__ == "__main__":
    sys.exit(main())
