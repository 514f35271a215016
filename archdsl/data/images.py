"""Image files: the one place where they are opened, decoded and turned upright.

What becomes of each kind of file stands in docs/data.md, under "Image files".
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO, Final, TypeAlias

import numpy as np
from PIL import Image

from archdsl.data.model import Bytes
from archdsl.data.png import SIGNATURE, Cut, read_png
from archdsl.data.problems import Problem

Size: TypeAlias = "tuple[int, int]"
"""Height and width in pixels."""

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
"""Of image files, in capitals or not; what a file holds is told by its first bytes."""
AGAIN: Final = "copy it again from where it came"
AS_PNG: Final = "write it as a PNG"

_FORMATS: Final = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""Pillow knows more, some by starting other programs."""
_OTHERS: Final = (
    (b"version https://git-lfs", "is a pointer of Git LFS in place of a file", "fetch it with `git lfs pull`"),
    (b"%!PS", "is a PostScript file", AS_PNG),
    (b"%PDF", "is a PDF file", AS_PNG),
    (b"8BPS", "is a Photoshop file", AS_PNG),
    (b"\x00\x00\x00\x0cjP  ", "is a JPEG 2000 file", AS_PNG),
    (b"II*\x00", "is a TIFF of a kind that is not read, or damaged", f"{AS_PNG} of 8 bits"),
    (b"MM\x00*", "is a TIFF of a kind that is not read, or damaged", f"{AS_PNG} of 8 bits"),
    (b"\x93NUMPY", "is a NumPy array", AS_PNG),
)
"""By their first bytes, whatever their suffix says."""
_CONTAINERS: Final = {b"avif": "an AVIF", b"heic": "a HEIC", b"heix": "a HEIC", b"mif1": "a HEIF"}
"""By the brand behind `ftyp`, as phones write them."""
_COLOURS: Final = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBX", "RGBA", "CMYK", "YCbCr"))
"""Pillow's modes of 8 bits that become RGB: grey in three channels, CMYK by its plain formula, alpha left out."""
_GREY_ALPHA: Final = 2
_RGB_ALPHA: Final = 4
"""Channels of inputs that read alpha."""
_SMALL_STEPS: Final = {2: 85, 4: 17}
"""The decoder spreads grey samples of 2 and 4 bits over 0 to 255, in these steps."""

_Turn = Image.Transpose
_TURNS: Final = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}
"""What turns an image upright, by its EXIF orientation."""
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3


warnings.filterwarnings("ignore", module="PIL")  # what matters is in the message of what cannot be read


class Unreadable(Exception):
    """An image file that cannot be read as what it should be."""

    def __init__(self, path: Path, what: str, help: str) -> None:
        self.problem = Problem(str(path), what, help)
        super().__init__(str(self.problem))


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file whose head has been read."""

    path: Path
    size: Size
    """Upright."""
    orientation: int
    """By which it is turned upright: that of EXIF, 1 to 8; 1 where there is none."""
    _image: Image.Image
    _turn: Image.Transpose | None
    _bits: int

    def check_channels(self, channels: int) -> None:
        """Raises Unreadable where the file lacks alpha, which inputs of two and of four channels read."""
        image = self._image
        has_alpha = image.mode in ("LA", "RGBA", "PA", "RGBX") or "transparency" in image.info
        if channels in (_GREY_ALPHA, _RGB_ALPHA) and not has_alpha:
            what = f"has no alpha (`{image.mode}`), and {channels} channels are read, of which it is the last"
            raise Unreadable(self.path, what, f"write it as a PNG of {channels} channels")

    def rgb(self, at_least: Size | None = None) -> Image.Image:
        """The image as RGB; see `as_mode`."""
        return self.as_mode("RGB", at_least)

    def as_mode(self, mode: str, at_least: Size | None = None) -> Image.Image:
        """The image in 8 bits a channel, upright, as `L`, `LA`, `RGB` or `RGBA`.

        A JPEG may come smaller, but not smaller than `at_least`. Raises Unreadable.
        """
        with _decoding(self.path):
            if at_least is not None:
                height, width = at_least if self.orientation < 5 else at_least[::-1]
                self._image.draft(mode, (width, height))
            self._image.load()
        if self._image.mode in _COLOURS:
            colours = _converted(self._image, mode)
        elif self._sixteen_bits:
            colours = Image.fromarray(self._upper_bits()).convert(mode)
        else:
            what = f"has samples of another kind (`{self._image.mode}`) than 8 or 16 bits of grey or colour"
            raise Unreadable(self.path, what, f"{AS_PNG} of 8 bits")
        return colours if self._turn is None else colours.transpose(self._turn)

    @property
    def _sixteen_bits(self) -> bool:
        """Grey of 16 bits; colours of 16 bits come as their upper 8 from the decoder."""
        mode = self._image.mode
        return mode.startswith("I;16") or (mode == "I" and self._image.format in ("PNG", "PPM"))

    def _upper_bits(self) -> Bytes:
        samples = np.asarray(self._image)
        if 0 < samples.max() < 256:
            what = f"has samples of 16 bits up to {samples.max()}, and the upper 8, which are read, are all 0"
            raise Unreadable(self.path, what, f"{AS_PNG} of 8 bits")
        return (samples >> 8).astype(np.uint8)

    def numbers(self) -> Bytes:
        """HxW: the samples of one channel as they stand in a PNG, places in its palette among them, upright.

        Raises Unreadable.
        """
        self.check_exact()
        if self._image.mode not in ("1", "L", "P"):
            what = f"has mode {self._image.mode}, and labels are one channel of at most 8 bits"
            raise Unreadable(self.path, what, "write the number of each pixel's class as a PNG of one channel")
        with _decoding(self.path):
            self._image.load()
        upright = self._image if self._turn is None else self._image.transpose(self._turn)
        samples = np.array(upright, dtype=np.uint8)
        return samples // _SMALL_STEPS.get(self._bits, 1) if self._image.mode == "L" else samples

    def check_exact(self) -> None:
        """Raises Unreadable where the file is no PNG: a lossy format changes the numbers of classes."""
        if self._image.format != "PNG":
            what = f"is a {self._image.format} file, and labels are PNG files"
            raise Unreadable(self.path, what, "write it as a PNG from the numbers that it was made of")


@contextmanager
def opened(path: Path, *, pixels: bool = True) -> Generator[Picture]:
    """An image file, checked to its end; without `pixels` only `size` and `orientation` can be asked for.

    Raises Unreadable where it is missing, empty, cut off, damaged or no image.
    """
    _check_file(path)
    with _decoding(path):
        bits, source, checked = _source(path, pixels=pixels)
    with source:
        with _decoding(path):
            image = Image.open(source, formats=_FORMATS)
        tag = _orientation(image)
        if not checked:
            with _decoding(path):
                image.load()
        turn = None if image.format == "TIFF" else _TURNS.get(tag)  # Pillow has turned a TIFF as it loaded it
        lies = turn is not None and tag >= 5
        width, height = image.size[::-1] if lies else image.size
        yield Picture(path, (height, width), tag, image, turn, bits)


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """In a mode of 8 bits; a fourth channel that no format says to be alpha is read as it."""
    if image.mode == "RGBX" and mode == "RGBA":
        return Image.merge(mode, image.split())
    if mode in ("L", "RGB"):
        image.info.pop("transparency", None)
    return image.convert(mode)


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError:
        what = f"is a link to `{path.readlink()}`, which is not there" if path.is_symlink() else "is not there"
        raise Unreadable(path, what, AGAIN) from None
    except PermissionError:
        raise _forbidden(path) from None
    except OSError as error:  # links in a circle
        raise Unreadable(path, f"cannot be opened ({(error.strerror or str(error)).lower()})", AGAIN) from None
    if S_ISDIR(found.st_mode):
        raise Unreadable(path, "is a folder, where an image is expected", "move it elsewhere")
    if not S_ISREG(found.st_mode):
        raise Unreadable(path, "is no regular file", "move it elsewhere")
    if not found.st_size:
        raise Unreadable(path, "is empty", AGAIN)


def _forbidden(path: Path) -> Unreadable:
    return Unreadable(path, "cannot be read", f"chmod u+r {path}")


@contextmanager
def _decoding(path: Path) -> Generator[None]:
    """Names the file in whatever a decoder raises: for hostile bytes it is not limited to what its manual lists."""
    try:
        yield
    except (Unreadable, MemoryError):
        raise
    except Cut:
        raise Unreadable(path, "is truncated", AGAIN) from None
    except PermissionError:
        raise _forbidden(path) from None
    except Image.DecompressionBombError:
        what = f"has more pixels than are read ({2 * (Image.MAX_IMAGE_PIXELS or 0):,})"
        raise Unreadable(path, what, "cut it into smaller images") from None
    except Exception as error:
        raise Unreadable(path, *_told(path)) from error


def _told(path: Path) -> tuple[str, str]:
    """What a file is that no decoder takes, and what to do."""
    with path.open("rb") as file:
        begin = file.read(32)
    for first, what, help_ in _OTHERS:
        if begin.startswith(first):
            return what, help_
    if begin[4:8] == b"ftyp" and begin[8:12] in _CONTAINERS:
        return f"is {_CONTAINERS[begin[8:12]]} file", AS_PNG
    return "is not an image, or damaged", AGAIN


def _source(path: Path, *, pixels: bool) -> tuple[int, BinaryIO, bool]:
    """The bits of a sample, what is decoded in place of the file, and whether its end is known to be there.

    Raises Cut where it is not. Of other formats than PNG and JPEG only decoding tells. The decoder gets no name: files
    that it maps into memory by theirs come out garbled where their orientation lies on its side (Pillow 13.0, TIFF).
    """
    with path.open("rb") as file:
        begin = file.read(len(SIGNATURE))
    if begin == SIGNATURE:
        found = read_png(path, pixels=pixels)
        return found.bits, BytesIO(found.file), True
    if begin.startswith(_START_OF_IMAGE):
        _check_jpeg_end(path)
        return 8, path.open("rb"), True
    return 8, path.open("rb"), False


# JPEG -------------------------------------------------------------------------------------------

_START_OF_IMAGE: Final = b"\xff\xd8"
_END_OF_IMAGE: Final = b"\xff\xd9"
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""A marker, and neither a stuffed byte of data, nor fill, nor a restart marker (ITU-T T.81, B.1.1)."""
_WITHOUT_LENGTH: Final = b"\x01\xd8"


def _check_jpeg_end(path: Path) -> None:
    """Raises Cut where a file lacks its end marker; a check for truncation without decoding."""
    with path.open("rb") as file:
        file.seek(-len(_END_OF_IMAGE), 2)
        if file.read() != _END_OF_IMAGE and not _ends(path.read_bytes()):
            raise Cut


def _ends(jpeg: bytes) -> bool:
    """Whether a JPEG has its own end marker: those in thumbnails, and behind the end, are others."""
    at = 2
    while found := _MARKER.search(jpeg, at):
        at = found.end()
        if found[0] == _END_OF_IMAGE:
            return True
        if found[1] not in _WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return False


# EXIF -------------------------------------------------------------------------------------------


def _orientation(image: Image.Image) -> int:
    """1 to 8, of an image that is not loaded yet."""
    if image.format == "TIFF":
        tags: dict[int, object] = getattr(image, "tag_v2", {})
        said = tags.get(_ORIENTATION)
    else:
        said = exif_orientation(image.info.get("exif", b""))
    return said if isinstance(said, int) and said in _TURNS else 1


def exif_orientation(exif: bytes) -> int:
    """The orientation of an EXIF block (CIPA DC-008, 4.6.2); 1 where it says none, or is damaged."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if tag == _ORIENTATION and kind == _SHORT:
                return value
    except struct.error:
        pass
    return 1
