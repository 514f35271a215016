"""The pixels of PNG files, without what else a file carries (W3C, PNG Third Edition, sections 4 and 5).

Texts and colour profiles are compressed, so that a small file may hold gigabytes of them, and neither they nor the
frames of an animation change a pixel of the image: such chunks are left out before a decoder sees them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = struct.Struct(">I4s")
"""Of a chunk: the length of its data, and its type. Its data follow, and 4 bytes of checksum."""
_CHECKSUM_BYTES: Final = 4
_HEADER_BYTES: Final = 13
_BITS_AT: Final = 8
"""Where the image header says how many bits a sample has."""
_END: Final = bytes.fromhex("0000000049454e44ae426082")


class Cut(Exception):
    """A file that ends before its last chunk; whatever stands behind that chunk is no part of the image."""


class Malformed(Exception):
    """Bytes that are not a sequence of chunks."""


@dataclass(frozen=True, slots=True)
class Png:
    bits: int
    """Of a sample: 1, 2, 4, 8 or 16."""
    file: bytes
    """A PNG file of the header, palette, transparency, EXIF data and pixels alone."""


def read_png(path: Path, *, pixels: bool) -> Png:
    """Walks over all chunks of a file; without `pixels` their data are skipped, and the result has only a head.

    Raises Cut, Malformed, OSError.
    """
    kept: dict[bytes, list[bytes]] = {b"IHDR": [], b"PLTE": [], b"tRNS": [], b"eXIf": [], b"IDAT": []}
    with BytesIO(path.read_bytes()) if pixels else path.open("rb", buffering=0) as file:
        for head, kind, length in _chunks(file):
            if kind == b"IDAT" and not pixels:
                kept[kind] = [head]
            elif kind in kept:
                data = file.read(length + _CHECKSUM_BYTES)
                if len(data) < length + _CHECKSUM_BYTES:
                    raise Cut
                kept[kind].append(head + data)
    header = b"".join(kept[b"IHDR"])[_HEAD.size :]
    if len(header) != _HEADER_BYTES + _CHECKSUM_BYTES or not kept[b"IDAT"]:
        raise Malformed
    chunks = (chunk for kind in kept.values() for chunk in kind)
    return Png(header[_BITS_AT], SIGNATURE + b"".join(chunks) + _END)


def _chunks(file: BytesIO | FileIO) -> Iterator[tuple[bytes, bytes, int]]:
    """Of each chunk before the last one its head, type and length of data; the file is left behind the head."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise Cut
        length, kind = _HEAD.unpack(head)
        if not kind.isalpha():
            raise Malformed
        if kind == b"IEND":
            return
        yield head, kind, length
        at += _HEAD.size + length + _CHECKSUM_BYTES
