"""What data cost beside the network that eats them: `python -m benchmarks.loader`.

FasterSeg's student is trained at a quarter of Cityscapes' height and width, on one thread; the loader gives it images
from memory and from files of the original size, augmented. Both are measured in one run, as CPU time for each image.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Final

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

import archdsl
from archdsl.data import Batches, Held, Split, hold, open_data
from archdsl.data.augment import augment, normalise
from archdsl.settings.trainings import Colour, Crop, Flip, Scale
from archdsl.train.typed_torch import backward
from benchmarks.report import Row, report

STUDENT: Final = "spaces/genotypes/fasterseg_student.arch"
WHOLE: Final = (1024, 2048)
QUARTER: Final = (256, 512)
BATCH: Final = 2
TIMES: Final = 3
"""The loader gives at least so many images in the time in which the network eats one."""
_STEPS: Final = (Flip(), Scale(0.5, 2.0), Crop(), Colour(0.2, 0.2, 0.2))
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)
_MIB: Final = 2**20


def loaded(source: Split | Held) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches as a training loop gets them, without an end."""
    batches, generator = Batches(source, batch=BATCH, seed=0), torch.Generator().manual_seed(0)
    for images, labels, _ in itertools.chain.from_iterable(batches.epoch(n) for n in itertools.count()):
        moved, marked = augment(images, labels, _STEPS, size=QUARTER, generator=generator)
        yield normalise(moved, _MEAN, _STD), marked


def training() -> Callable[[Tensor, Tensor], None]:
    """A step of the student: forward, loss, backward, SGD."""
    network = archdsl.build(STUDENT).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step(images: Tensor, labels: Tensor) -> None:
        loss = functional.cross_entropy(network(images), labels.long(), ignore_index=255)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]

    return step


def cpu_s(once: Callable[[], object], times: int) -> float:
    """CPU seconds of all threads for each image, after two batches that are not counted."""
    once()
    once()
    begun = process_time()
    for _ in range(times):
        once()
    return (process_time() - begun) / times / BATCH


def cityscapes(root: Path, count: int) -> Path:
    """Streets of the original size, laid out as Cityscapes."""
    split = open_data("streets", size=WHOLE, count=count).splits["train"]
    images, labels = root / "leftImg8bit" / "train" / "town", root / "gtFine" / "train" / "town"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for i in range(count):
        example, name = split.read(i), f"town_{i:06}_000019"
        Image.fromarray(example.image).save(images / f"{name}_leftImg8bit.png", compress_level=6)
        Image.fromarray(example.label).save(labels / f"{name}_gtFine_labelTrainIds.png")
    return root


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MIB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=12, help="of the loader, and a third as many of the network")
    batches: int = parser.parse_args().batches
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = open_data(f"cityscapes:{cityscapes(Path(folder), 8)}", size=QUARTER).splits["train"]
        held = hold(files)
        memory, disk = loaded(held), loaded(files)
        memory_s = cpu_s(lambda: next(memory), batches)
        disk_s = cpu_s(lambda: next(disk), batches)
        loader_mib = peak_mib()
        step, batch = training(), next(memory)
        network_s = cpu_s(lambda: step(*batch), max(1, batches // 3))
    rows = [
        Row("from memory: loader over network, CPU time for each image", memory_s / network_s, 1 / TIMES, ""),
        Row("from PNG files of 1024x2048: the same", disk_s / network_s, 1 / TIMES, ""),
    ]
    print(f"  network {network_s:.3f} CPU s an image of 256x512, from memory {memory_s:.4f}, from files {disk_s:.4f}")
    print(
        f"  peak memory {loader_mib:.0f} MiB with {len(held)} images held and read, {peak_mib():.0f} with the network"
    )
    notes = f"{network_s / memory_s:.0f} and {network_s / disk_s:.1f} times what the network eats; {TIMES} are wanted"
    return report("loader", rows, notes)


if __name__ == "__main__":
    sys.exit(main())
