"""What becomes of each kind of image file, as docs/data.md has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from archdsl.data.frames import read_image
from archdsl.data.images import Unreadable, exif_orientation, opened
from tests.data.encodings import (
    COLOURS,
    COLOURS_ALPHA,
    GREY,
    GREY_ALPHA,
    PALETTE,
    behind_header,
    chunk,
    exif,
    interlaced,
    laid,
    png,
    saved,
    zeros,
)

HEIGHT, WIDTH = 12, 20
GREYS = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
"""Every value but 16, each once."""
RGB = np.stack([GREYS, 255 - GREYS, GREYS // 2], axis=2)
IN_THREE = np.repeat(GREYS[..., None], 3, axis=2)
ALPHA = GREYS[::-1]


def encoded(pixels: NDArray[np.uint8] | Image.Image, form: str, **how: Any) -> bytes:
    out = BytesIO()
    (Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels).save(out, form, **how)
    return out.getvalue()


def read(folder: Path, file: bytes, name: str = "image.png") -> NDArray[np.uint8]:
    (folder / name).write_bytes(file)
    return read_image(folder / name, None)


def with_alpha(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([colours, ALPHA])


def in_palette() -> Image.Image:
    image = Image.fromarray(GREYS).convert("P")
    image.putdata(GREYS.ravel().tolist())
    image.putpalette([part for value in range(256) for part in (value, 255 - value, value // 2)])
    return image


def spread(bits: int) -> NDArray[np.uint8]:
    """Samples of so few bits, and each of their values."""
    return GREYS % (1 << bits)


CMS: Any = import_module("PIL.ImageCms")
PROFILE: bytes = CMS.ImageCmsProfile(CMS.createProfile("LAB")).tobytes()
"""Of other colours, so that a reader that applies it gives other numbers."""

KEPT: dict[str, tuple[bytes, NDArray[np.uint8]]] = {
    "colours": (encoded(RGB, "PNG"), RGB),
    "interlaced": (interlaced(RGB), RGB),
    "colours with alpha": (encoded(with_alpha(RGB), "PNG"), RGB),
    "grey": (encoded(GREYS, "PNG"), IN_THREE),
    "grey with alpha": (encoded(Image.merge("LA", [Image.fromarray(GREYS), Image.fromarray(ALPHA)]), "PNG"), IN_THREE),
    "grey, one value transparent": (png(GREYS, 8, GREY, chunk(b"tRNS", b"\x00\x07")), IN_THREE),
    "palette": (encoded(in_palette(), "PNG"), RGB),
    "palette with alpha": (encoded(in_palette(), "PNG", transparency=ALPHA.tobytes()), RGB),
    "1 bit": (png(spread(1), 1, GREY), np.repeat(spread(1)[..., None] * 255, 3, axis=2)),
    "2 bits": (png(spread(2), 2, GREY), np.repeat(spread(2)[..., None] * 85, 3, axis=2)),
    "4 bits": (png(spread(4), 4, GREY), np.repeat(spread(4)[..., None] * 17, 3, axis=2)),
    "palette of 4 bits": (
        png(spread(4), 4, PALETTE, chunk(b"PLTE", bytes(part for v in range(16) for part in (v, 9, 200 - v)))),
        np.stack([spread(4), np.full_like(GREYS, 9), 200 - spread(4)], axis=2),
    ),
    "grey of 16 bits": (png(GREYS.astype(np.uint16) * 256 + 77, 16, GREY), IN_THREE),
    "colours of 16 bits": (png(RGB.astype(np.uint16) * 256 + 77, 16, COLOURS), RGB),
    "grey of 16 bits with alpha": (
        png(np.dstack([GREYS, ALPHA]).astype(np.uint16) * 257, 16, GREY_ALPHA),
        IN_THREE,
    ),
    "colours of 16 bits with alpha": (png(with_alpha(RGB).astype(np.uint16) * 257, 16, COLOURS_ALPHA), RGB),
    "ICC profile": (encoded(RGB, "PNG", icc_profile=PROFILE), RGB),
    "gamma": (behind_header(encoded(RGB, "PNG"), chunk(b"gAMA", b"\x00\x01\x86\xa0")), RGB),
    "animated PNG": (encoded(RGB, "PNG", save_all=True, append_images=[Image.fromarray(255 - RGB)]), RGB),
    "animated PNG whose image is not in the animation": (
        encoded(RGB, "PNG", save_all=True, default_image=True, append_images=[Image.fromarray(255 - RGB)]),
        RGB,
    ),
    "GIF": (encoded(in_palette(), "GIF"), RGB),
    "animated GIF, one colour transparent": (
        encoded(in_palette(), "GIF", save_all=True, append_images=[Image.new("P", (20, 12))], transparency=7),
        RGB,
    ),
    "WebP without loss": (encoded(RGB, "WEBP", lossless=True), RGB),
    "WebP with alpha": (encoded(with_alpha(RGB), "WEBP", lossless=True, exact=True), RGB),
    "animated WebP": (
        encoded(RGB, "WEBP", lossless=True, save_all=True, append_images=[Image.fromarray(255 - RGB)]),
        RGB,
    ),
    "BMP": (encoded(RGB, "BMP"), RGB),
    "TIFF": (encoded(RGB, "TIFF"), RGB),
    "compressed TIFF": (encoded(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "TIFF, grey of 16 bits": (encoded(Image.fromarray(GREYS.astype(np.uint16) * 256 + 77), "TIFF"), IN_THREE),
    "TIFF of several pages": (encoded(RGB, "TIFF", save_all=True, append_images=[Image.fromarray(255 - RGB)]), RGB),
    "TIFF, white is 0": (encoded(Image.fromarray(GREYS), "TIFF", tiffinfo={262: 0}), IN_THREE),
    "PPM": (encoded(RGB, "PPM"), RGB),
    "PGM": (encoded(GREYS, "PPM"), IN_THREE),
    "PGM of 16 bits": (
        b"P5 20 12 65535\n" + (GREYS.astype(np.uint16) * 256 + 77).astype(">u2").tobytes(),
        IN_THREE,
    ),
    "JPEG, progressive": (
        encoded(RGB, "JPEG", progressive=True),
        np.array(Image.open(BytesIO(encoded(RGB, "JPEG"))).convert("RGB")),
    ),
    "JPEG, grey": (
        encoded(GREYS, "JPEG"),
        np.repeat(np.array(Image.open(BytesIO(encoded(GREYS, "JPEG"))))[..., None], 3, axis=2),
    ),
    "JPEG with an ICC profile": (
        encoded(RGB, "JPEG", icc_profile=PROFILE),
        np.array(Image.open(BytesIO(encoded(RGB, "JPEG"))).convert("RGB")),
    ),
    "several pictures in a JPEG": (
        encoded(RGB, "MPO", save_all=True, append_images=[Image.fromarray(255 - RGB)]),
        np.array(Image.open(BytesIO(encoded(RGB, "JPEG"))).convert("RGB")),
    ),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_each_kind_of_file_is_read_as(tmp_path: Path, kind: str) -> None:
    file, expected = KEPT[kind]

    assert read(tmp_path, file).tolist() == expected.tolist()


def test_cmyk_becomes_colours_by_its_plain_formula(tmp_path: Path) -> None:
    flat = np.zeros((16, 16, 4), dtype=np.uint8)
    flat[..., 0], flat[..., 3] = 255, 55  # cyan takes all of red; black takes 55 of 255 of the rest

    found = read(tmp_path, encoded(Image.fromarray(flat, "CMYK"), "JPEG", quality=100), "a.jpg")

    assert np.abs(found.astype(int) - (0, 200, 200)).max() <= 3


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (encoded(Image.fromarray(GREYS.astype(np.float32)), "TIFF"), "F"),
        (encoded(Image.fromarray(GREYS.astype(np.int32)), "TIFF"), "I"),
        (encoded(Image.new("LAB", (20, 12)), "TIFF"), "LAB"),
    ],
)
def test_samples_without_a_known_range_are_refused(tmp_path: Path, file: bytes, kind: str) -> None:
    with pytest.raises(Unreadable, match=f"has samples of another kind \\(`{kind}`\\) than 8 or 16 bits"):
        read(tmp_path, file)


def test_16_bits_that_are_8_are_refused_and_not_read_as_black(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="16 bits up to 239, and the upper 8, which are read, are all 0"):
        read(tmp_path, png(GREYS.astype(np.uint16), 16, GREY))
    assert not read(tmp_path, png(np.zeros((12, 20), dtype=np.uint16), 16, GREY)).any()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_turned_upright(tmp_path: Path, form: str, orientation: int) -> None:
    blocks = np.kron(np.random.default_rng(1).integers(0, 2, (3, 5, 1)), np.ones((16, 16, 3))).astype(np.uint8) * 255
    how = {"PNG": {}, "JPEG": {"quality": 100}, "WEBP": {"lossless": True}, "TIFF": {}}[form]
    path = saved(tmp_path / f"a.{form.lower()}", laid(blocks, orientation), exif=exif(orientation), **how)

    with opened(path, pixels=False) as picture:
        assert (picture.size, picture.orientation) == ((48, 80), orientation)
    assert (np.abs(read_image(path, None).astype(int) - blocks) < 60).all()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_grey_tiff_is_turned_upright(tmp_path: Path, orientation: int, bits: int, compression: str) -> None:
    lies = laid(GREYS, orientation)
    image = Image.fromarray(lies if bits == 8 else lies.astype(np.uint16) * 256 + 77)

    file = encoded(image, "TIFF", exif=exif(orientation), compression=compression)
    assert read(tmp_path, file).tolist() == IN_THREE.tolist()


def test_an_orientation_behind_the_pixels_of_a_png_counts(tmp_path: Path) -> None:
    tag = chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\x00\x00"))
    file = encoded(laid(RGB, 6), "PNG")

    assert read(tmp_path, file[:-12] + tag + file[-12:]).tolist() == RGB.tolist()


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_leaves_the_image_as_it_is(tmp_path: Path, value: int) -> None:
    assert read(tmp_path, encoded(RGB, "PNG", exif=exif(value))).tolist() == RGB.tolist()


@pytest.mark.parametrize("cut", range(40))
def test_damaged_exif_says_nothing(cut: int) -> None:
    whole = exif(6).tobytes()

    assert exif_orientation(whole) == 6
    assert exif_orientation(whole[:cut]) in ((6,) if cut >= 26 else (1,))
    assert exif_orientation(os.urandom(cut)) in range(65536)


THUMBNAIL = encoded(np.zeros((8, 8, 3), dtype=np.uint8), "JPEG")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("behind", [b"\x00", bytes(10_000), THUMBNAIL, os.urandom(70_000), b"<html>" * 2000])
def test_bytes_behind_the_end_are_not_looked_at(tmp_path: Path, form: str, behind: bytes) -> None:
    file = encoded(RGB, form)

    assert read(tmp_path, file + behind).tolist() == read(tmp_path, file).tolist()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_that_is_cut_off_anywhere_is_noticed_by_its_end(tmp_path: Path, form: str) -> None:
    thumbnail = b"\xff\xe1" + (len(THUMBNAIL) + 2).to_bytes(2, "big") + THUMBNAIL
    whole = encoded(RGB, form)
    file = whole if form == "PNG" else whole[:2] + thumbnail + whole[2:]
    for length in range(len(file) - len(whole) + 200, len(file) - 8, 7):
        (tmp_path / "a").write_bytes(file[:length])
        with pytest.raises(Unreadable, match="is truncated"), opened(tmp_path / "a", pixels=False):
            pass


BOMB = zeros(1 << 28)


@pytest.mark.parametrize(
    "bomb",
    [
        chunk(b"zTXt", b"Comment\x00\x00" + BOMB),
        chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + BOMB),
        chunk(b"iCCP", b"Profile\x00\x00" + BOMB),
        chunk(b"tEXt", b"Comment\x00" + bytes(1 << 22)),
        chunk(b"tEXt", b"Comment\x00") * 50_000,
        chunk(b"zTXt", b"Comment\x00\x00no stream"),
        chunk(b"gAMA", b""),
    ],
    ids=["text", "international text", "profile", "long text", "many texts", "damaged text", "damaged gamma"],
)
@pytest.mark.parametrize("behind", [False, True])
def test_what_is_no_pixel_of_a_png_cannot_harm(tmp_path: Path, bomb: bytes, behind: bool) -> None:
    file = encoded(RGB, "PNG")

    assert read(tmp_path, file[:-12] + bomb + file[-12:] if behind else behind_header(file, bomb)).tolist() == (
        RGB.tolist()
    )


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.png")


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _postscript(path: Path) -> None:
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 12\nshowpage\n")


def _pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def _phone(path: Path) -> None:
    path.write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))


def _huge(path: Path) -> None:
    file = png(GREYS, 8, GREY)
    head = file[16:29]
    path.write_bytes(file.replace(chunk(b"IHDR", head), chunk(b"IHDR", b"\x00\x00\xff\xff\x00\x00\xff\xff" + head[8:])))


def _bad_checksum(path: Path) -> None:
    file = bytearray(png(GREYS, 8, GREY))
    file[-20] ^= 1
    path.write_bytes(file)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_folder, "is a folder, where an image is expected; move it elsewhere"),
        (_pipe, "is no regular file; move it elsewhere"),
        (_dangling, "is a link to `nowhere.png`, which is not there; copy it again from where it came"),
        (_circle, "copy it again from where it came"),
        (_postscript, "is a PostScript file; write it as a PNG"),
        (_pointer, "is a pointer of Git LFS in place of a file; fetch it with `git lfs pull`"),
        (_phone, "is a HEIC file; write it as a PNG"),
        (_huge, "has more pixels than are read (178,956,970); cut it into smaller images"),
        (_bad_checksum, "is not an image, or damaged; copy it again from where it came"),
    ],
    ids=lambda each: each.__name__.removeprefix("_") if isinstance(each, Callable) else "",
)
def test_what_is_no_image_at_all(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    harm(tmp_path / "a.png")

    with pytest.raises(Unreadable) as found:
        read_image(tmp_path / "a.png", None)
    assert str(found.value).startswith(f"`{tmp_path / 'a.png'}` ")
    assert said in str(found.value)


def test_a_tiff_that_no_decoder_takes_is_told_apart_from_other_damage(tmp_path: Path) -> None:
    file = bytearray(encoded(RGB, "TIFF"))
    file[file.index(b"\x06\x01\x03\x00") + 8] = 99  # a meaning of samples that there is not

    with pytest.raises(Unreadable, match="is a TIFF of a kind that is not read, or damaged; write it as a PNG"):
        read(tmp_path, bytes(file))


def test_a_decoders_warnings_are_not_shown(tmp_path: Path) -> None:
    damaged = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x09\x00\x12\x01\x03\x00"
    (tmp_path / "a.jpg").write_bytes(encoded(RGB, "JPEG", exif=damaged))
    program = "import sys, pathlib, archdsl.data.frames as frames; frames.read_image(pathlib.Path(sys.argv[1]), None)"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.jpg"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("palette with alpha", "RGBA", with_alpha(RGB)),
        ("grey with alpha", "LA", np.dstack([GREYS, ALPHA])),
        ("colours of 16 bits with alpha", "RGBA", with_alpha(RGB)),
        ("grey, one value transparent", "LA", np.dstack([GREYS, np.where(GREYS == 7, 0, 255)])),
    ],
)
def test_alpha_is_there_for_who_reads_it(tmp_path: Path, kind: str, mode: str, expected: NDArray[np.uint8]) -> None:
    (tmp_path / "a.png").write_bytes(KEPT[kind][0])

    with opened(tmp_path / "a.png") as picture:
        assert np.asarray(picture.as_mode(mode)).tolist() == expected.tolist()
