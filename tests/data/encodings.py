"""Image files of every kind, some made byte by byte, as writers of images avoid them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from archdsl.data.png import SIGNATURE

ORIENTATION: Final = 0x0112
GREY, COLOURS, PALETTE, GREY_ALPHA, COLOURS_ALPHA = 0, 2, 3, 4, 6
"""Colour types of PNG."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples: NDArray[np.uint16] | NDArray[np.uint8], bits: int, colour_type: int, *more: bytes) -> bytes:
    """A PNG of HxW or HxWxC samples of so many bits, with further chunks before its pixels."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    if bits < 8:
        unpacked = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        packed = np.packbits(unpacked.reshape(height, -1).astype(np.uint8), axis=1)
    else:
        packed = rows.astype(">u2" if bits == 16 else np.uint8).view(np.uint8).reshape(height, -1)
    lines = b"".join(b"\x00" + row.tobytes() for row in packed)
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = (chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


_PASSES: Final = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
"""Of Adam7 the first row and its step, the first column and its step."""


def interlaced(samples: NDArray[np.uint8]) -> bytes:
    """A PNG of HxWx3 samples in seven passes."""
    height, width = samples.shape[:2]
    parts = (samples[row::down, column::across] for row, down, column, across in _PASSES)
    lines = b"".join(b"\x00" + row.tobytes() for part in parts if part.size for row in part)
    head = struct.pack(">IIBBBBB", width, height, 8, COLOURS, 0, 0, 1)
    chunks = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def behind_header(file: bytes, *more: bytes) -> bytes:
    """A PNG with further chunks behind its header."""
    at = len(SIGNATURE) + 25
    return file[:at] + b"".join(more) + file[at:]


def zeros(length: int) -> bytes:
    """So many zeros, compressed: a thousandth of their size."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(length >> 20)) + packer.flush()


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[ORIENTATION] = orientation
    return found


def laid(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Pixels as a camera stores them that says this orientation: where its 0th row and column are, seen upright.

    CIPA DC-008, table 6: 1 top and left, 2 top and right, 3 bottom and right, 4 bottom and left, 5 left and top, 6
    right and top, 7 right and bottom, 8 left and bottom.
    """
    lies = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    row_from_end = orientation in (3, 4, 6, 7)
    column_from_end = orientation in (2, 3, 7, 8)
    return np.ascontiguousarray(lies[:: -1 if row_from_end else 1, :: -1 if column_from_end else 1])


def saved(path: Path, pixels: NDArray[np.uint8] | Image.Image, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    image.save(path, **how)
    return path
