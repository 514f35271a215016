"""A photo through a compiled ONNX file: each pixel in the colour of its class, over the photo. Called by `demo.sh`."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from PIL import Image, ImageDraw

# Cityscapes' 19 classes in the order of their train ids.
CITYSCAPES = (
    (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153), (153, 153, 153), (250, 170, 30),
    (220, 220, 0), (107, 142, 35), (152, 251, 152), (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142),
    (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Network:
    """An ONNX file with what it says of itself."""

    session: Any
    """Of ONNX Runtime, which has no types."""
    size: tuple[int, int]
    """Height and width."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    random_weights: bool

    @classmethod
    def of(cls, file: Path) -> Network:
        runtime: Any = onnxruntime
        session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        told = session.get_modelmeta().custom_metadata_map
        _, _, height, width = session.get_inputs()[0].shape
        mean, std = (tuple(json.loads(told.get(name, "[]"))) for name in ("mean", "std"))
        weights = json.loads(told.get("archdsl.weights", "{}"))
        return cls(session, (height, width), mean, std, weights.get("source") == "random")

    def labels(self, photo: Image.Image) -> Image.Image:
        """The class of each pixel, as an image of the photo's size."""
        height, width = self.size
        x_HWC = np.asarray(photo.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
        if self.mean:
            x_HWC = (x_HWC - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        x_BCHW = np.ascontiguousarray(x_HWC.transpose(2, 0, 1)[None], np.float32)
        logits_BKHW = np.asarray(self.session.run(None, {self.session.get_inputs()[0].name: x_BCHW})[0])
        labels = Image.fromarray(logits_BKHW[0].argmax(0).astype(np.uint8))
        return labels.resize(photo.size, Image.Resampling.NEAREST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="a folder")
    given = parser.parse_args()
    photo, origin = find_photo(os.environ.get("PHOTO", ""), os.environ.get("CAMVID", ""))
    network = Network.of(given.network)
    labels = network.labels(photo)
    coloured = colour(labels)
    place: Path = given.out / "photo_overlay.png"
    beside(photo, Image.blend(photo, coloured, 0.6)).save(place)
    print(f"{place}: {origin}, and over it {np.unique(np.asarray(labels)).size} classes that the network sees")
    if network.random_weights:
        print("the network's weights are random, so its labels mean nothing: give trained ones with WEIGHTS=FILE")


def find_photo(photo: str, camvid: str) -> tuple[Image.Image, str]:
    """The photo that was asked for, or the first of CamVid, or a street that is drawn; and which of them it is."""
    if photo:
        return Image.open(photo).convert("RGB"), photo
    found = sorted(Path(camvid).glob("test/images/*.jpg")) if camvid else []
    if found:
        return Image.open(found[0]).convert("RGB"), f"CamVid {found[0].name}"
    return street(480, 360), "a street drawn by this demo (PHOTO=FILE for one of yours)"


def street(width: int, height: int) -> Image.Image:
    """Sky, houses, road, pavements and a car: enough to see that the picture is the right way up."""
    image = Image.new("RGB", (width, height), (150, 190, 230))
    draw = ImageDraw.Draw(image)
    horizon = height // 2
    draw.rectangle((0, horizon // 3, width // 3, horizon), fill=(140, 110, 90))
    draw.rectangle((2 * width // 3, horizon // 2, width, horizon), fill=(120, 120, 110))
    draw.rectangle((0, horizon, width, height), fill=(170, 160, 150))
    draw.polygon(((width // 2, horizon), (width // 8, height), (7 * width // 8, height)), fill=(80, 80, 85))
    draw.rectangle((width // 2, horizon + 40, width // 2 + 70, horizon + 85), fill=(150, 30, 30))
    return image


def colour(labels: Image.Image) -> Image.Image:
    table = np.zeros((256, 3), np.uint8)
    table[: len(CITYSCAPES)] = CITYSCAPES
    return Image.fromarray(table[np.asarray(labels)])


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


if __name__ == "__main__":
    main()
