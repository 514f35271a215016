"""However its images are encoded, a folder without faults trains to the same numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from archdsl.cli.main import run
from tests.data.encodings import COLOURS, PALETTE, chunk, exif, interlaced, laid, png, zeros
from tests.train.small import write_text

HEIGHT, WIDTH, FRAMES = 32, 64, 4
COLOURS_OF_IMAGES: Final = np.random.default_rng(7).integers(0, 256, (256, 3), dtype=np.uint8)
PLACES: Final = np.random.default_rng(8).integers(0, 256, (FRAMES, HEIGHT, WIDTH), dtype=np.uint8)
"""In the palette of the images, so that a palette can write them."""
IMAGES: Final = COLOURS_OF_IMAGES[PLACES]
LABELS: Final = PLACES // 100

Encode = Callable[[int], tuple[str, bytes]]
"""Of the number of a frame the suffix and the bytes of its image."""


def by_pillow(form: str, suffix: str = "", **how: Any) -> Encode:
    def encode(i: int) -> tuple[str, bytes]:
        out = BytesIO()
        Image.fromarray(IMAGES[i]).save(out, form, **how)
        return suffix or f".{form.lower()}", out.getvalue()

    return encode


def bytes_of(image: NDArray[np.uint8], form: str = "PNG", **how: Any) -> bytes:
    out = BytesIO()
    Image.fromarray(image).save(out, form, **how)
    return out.getvalue()


ORIGINAL: Final = by_pillow("PNG")


def with_alpha(i: int) -> tuple[str, bytes]:
    return ".png", bytes_of(np.dstack([IMAGES[i], PLACES[i]]))


def in_palette(i: int) -> tuple[str, bytes]:
    return ".png", png(PLACES[i], 8, PALETTE, chunk(b"PLTE", COLOURS_OF_IMAGES.tobytes()))


def of_16_bits(i: int) -> tuple[str, bytes]:
    return ".png", png(IMAGES[i].astype(np.uint16) * 257, 16, COLOURS)


def turned(i: int) -> tuple[str, bytes]:
    orientation = 5 + i
    return ".png", bytes_of(laid(IMAGES[i], orientation), exif=exif(orientation))


def turned_tiff(i: int) -> tuple[str, bytes]:
    orientation = 2 + i
    return ".tif", bytes_of(laid(IMAGES[i], orientation), "TIFF", exif=exif(orientation))


def animated(i: int) -> tuple[str, bytes]:
    return ".png", bytes_of(IMAGES[i], save_all=True, append_images=[Image.fromarray(255 - IMAGES[i])])


def with_bombs_and_bytes_behind(i: int) -> tuple[str, bytes]:
    file = ORIGINAL(i)[1]
    bomb = chunk(b"iCCP", b"profile\x00\x00" + zeros(1 << 24))
    return ".PNG", file[:33] + bomb + file[33:] + bytes(5000 * (i + 1))


ENCODINGS: Final[dict[str, Encode]] = {
    "with alpha": with_alpha,
    "palette": in_palette,
    "interlaced": lambda i: (".png", interlaced(IMAGES[i])),
    "of 16 bits": of_16_bits,
    "turned": turned,
    "animated": animated,
    "with bombs and bytes behind": with_bombs_and_bytes_behind,
    "WebP": by_pillow("WEBP", lossless=True),
    "TIFF": by_pillow("TIFF", ".tiff", compression="tiff_lzw"),
    "turned TIFF": turned_tiff,
    "BMP": by_pillow("BMP", ".BMP"),
    "PPM": by_pillow("PPM"),
}
LABEL_ENCODINGS: Final[dict[str, Callable[[NDArray[np.uint8]], bytes]]] = {
    "2 bits": lambda label: png(label, 2, 0),
    "4 bits in a palette": lambda label: png(label, 4, PALETTE, chunk(b"PLTE", bytes(range(48)))),
    "turned": lambda label: bytes_of(laid(label, 7), exif=exif(7)),
}


def trained(root: Path, encode: Encode, label: Callable[[NDArray[np.uint8]], bytes] = bytes_of) -> tuple[object, bytes]:
    """What a training writes down of its steps and scores, and its weights."""
    for i in range(FRAMES):
        for split in ("train", "val"):
            for kind, (suffix, file) in (("images", encode(i)), ("labels", (".png", label(LABELS[i])))):
                path = root / split / kind / f"frame_{i}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file)
    classes = [{"index": i, "name": f"c{i}", "color": [i, i, i]} for i in range(3)]
    (root / "classes.json").write_text(json.dumps({"classes": classes}))
    assert run(["data", "check", f"camvid:{root}"]) == 0
    data = ["--data", f"camvid:{root}", "--out", str(root / "run"), "--device", "cpu"]
    assert run(["train", str(write_text(root)), *data, "--iterations", "3", "--batch", "2"]) == 0
    journal = [json.loads(line) for line in (root / "run" / "journal.jsonl").read_text().splitlines()]
    assert any(line["event"] == "score" for line in journal)
    return journal, (root / "run" / "last.safetensors").read_bytes()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, bytes]:
    return trained(tmp_path_factory.mktemp("original"), ORIGINAL)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_images_of_each_encoding_train_to_the_same_numbers(
    tmp_path: Path, original: tuple[object, bytes], encoding: str
) -> None:
    assert trained(tmp_path, ENCODINGS[encoding]) == original


@pytest.mark.parametrize("encoding", LABEL_ENCODINGS)
def test_labels_of_each_encoding_train_to_the_same_numbers(
    tmp_path: Path, original: tuple[object, bytes], encoding: str
) -> None:
    assert trained(tmp_path, ORIGINAL, LABEL_ENCODINGS[encoding]) == original


def test_a_progressive_jpeg_trains_as_its_pixels_do(tmp_path: Path) -> None:
    def pixels(i: int) -> tuple[str, bytes]:
        with Image.open(BytesIO(by_pillow("JPEG")(i)[1])) as image:
            return ".png", bytes_of(np.array(image))

    progressive = trained(tmp_path / "jpeg", by_pillow("JPEG", progressive=True))
    assert progressive == trained(tmp_path / "png", pixels)
