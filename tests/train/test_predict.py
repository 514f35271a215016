"""Classes painted over images: what is written, what is never written over, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archdsl import api
from archdsl.cli.main import run
from archdsl.data import Classes
from archdsl.data.class_colours import classes_of, numbered
from archdsl.data.streets import CLASSES
from archdsl.train.evaluate import Views
from archdsl.train.inference import NetworkRequest, open_network
from archdsl.train.predict import largest_square, picture, predict
from tests.data.encodings import exif, laid

CPU = torch.device("cpu")
ODD = (45, 77)
"""Height and width that do not divide."""


def an_image(place: Path, size: tuple[int, int] = ODD, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(place)
    return place


def opened(place: Path) -> Image.Image:
    with Image.open(place) as image:
        image.load()
        return image


def predicted(*arguments: str | Path) -> int:
    return run(["predict", *map(str, arguments), "--device", "cpu"])


def test_a_folder_becomes_a_folder_of_pictures(trained: Path, tmp_path: Path) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    for number, name in enumerate(("a.png", "a.bmp", "b.png")):
        an_image(images / name, seed=number)
    (images / "notes.txt").touch()
    assert predicted(trained, images, "-o", out, "--labels", "--no-legend") == 0
    names = {"a.png.png", "a.bmp.png", "b.png"}
    assert {each.name for each in out.iterdir()} == names | {f"{each[:-4]}.labels.png" for each in names}
    network = open_network(NetworkRequest(str(trained)), CPU)
    for image, page in (("a.bmp", "a.bmp"), ("b.png", "b")):
        labels = opened(out / f"{page}.labels.png")
        assert np.array_equal(np.asarray(labels), predict(network, np.asarray(opened(images / image)), CPU))
        assert labels.mode == "P"
        palette = labels.getpalette() or []
        assert palette[: 3 * CLASSES.count] == [part for each in CLASSES.colours for part in each]
        assert opened(out / f"{page}.png").size == labels.size == ODD[::-1]


def test_a_text_and_a_compiled_file_see_what_the_run_sees(trained: Path, tmp_path: Path) -> None:
    text, image = trained.parent / "small.arch", an_image(tmp_path / "image.png")
    api.compile(text, "onnx", tmp_path / "net.onnx", size=(46, 78), weights=trained, overrides={"classes": "11"})
    found: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []
    for what in ([trained], [text, "--weights", trained], [tmp_path / "net.onnx"]):
        assert predicted(what[0], image, "-o", tmp_path / "seen.png", "--labels", *what[1:]) == 0
        found.append(np.asarray(opened(tmp_path / "seen.labels.png")))
    assert np.array_equal(found[0], found[1])
    assert int((found[0] != found[2]).sum()) <= 2


def test_with_a_flip_the_mirror_image_has_the_mirrored_classes(trained: Path) -> None:
    network = open_network(NetworkRequest(str(trained)), CPU)
    image = np.random.default_rng(1).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    both = Views(flip=True)
    assert np.array_equal(
        predict(network, image[:, ::-1], CPU, views=both), predict(network, image, CPU, views=both)[:, ::-1]
    )


def test_images_are_never_written_over(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = an_image(tmp_path / "a.png")
    labels = an_image(tmp_path / "b.labels.png")
    (tmp_path / "link.png").symlink_to(image)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    for arguments in (
        (image, "-o", image),
        (image, "-o", tmp_path),
        (tmp_path, "-o", tmp_path),
        (tmp_path / "link.png", "-o", image),
        (image, "-o", tmp_path / "link.png"),
        (labels, "-o", tmp_path / "b.png"),
    ):
        assert predicted(trained, *arguments, "--labels") == 2, arguments
        words = capsys.readouterr().err
        assert "give another" in words
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_what_cannot_be_painted_says_why(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, broken = an_image(tmp_path / "a.png"), tmp_path / "broken.png"
    broken.write_bytes(image.read_bytes()[:500])
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        ((broken, "-o", tmp_path / "out.png"), "broken.png` is truncated; copy it again from where it came"),
        ((tmp_path / "empty", "-o", tmp_path / "out"), "there are no images in"),
        ((tmp_path, "-o", tmp_path / "out.png"), "name a folder to write to"),
    ):
        assert predicted(trained, *arguments) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_folder_with_bad_images_is_predicted_but_for_them(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    for name in ("a.PNG", "b.tif", "d.JPG"):
        an_image(images / name)
    (images / "b2.png").write_bytes((images / "a.PNG").read_bytes()[:500])
    (images / "c.jpg").write_text("<html>404</html>")
    said = (
        f"`{images}/b2.png` is truncated; copy it again from where it came",
        f"`{images}/c.jpg` is not an image, or damaged; copy it again from where it came",
    )

    assert predicted(trained, images, "-o", out) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [f"{out}/{name}.png" for name in "abd"]
    assert shown.err.splitlines()[-3:] == [*said, "2 of 5 images left out"]
    assert sorted(each.name for each in out.iterdir()) == ["a.png", "b.png", "d.png"]

    assert predicted(trained, images, "-o", out, "--format", "json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [f"{out}/{name}.png" for name in "abd"]
    assert told["problems"] == [
        {"path": f"{images}/{name}", "message": message}
        for name, message in zip(("b2.png", "c.jpg"), said, strict=True)
    ]


def test_an_image_that_does_not_fit_a_file_leaves_the_others(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, images = trained.parent / "small.arch", tmp_path / "images"
    images.mkdir()
    an_image(images / "large.png", size=(64, 64))
    an_image(images / "small.png", size=(32, 64))
    api.compile(text, "onnx", tmp_path / "net.onnx", size=(32, 64), weights=trained, overrides={"classes": "11"})

    assert predicted(tmp_path / "net.onnx", images, "-o", tmp_path / "out") == 1
    assert f"`{images}/large.png`: `{tmp_path}/net.onnx` is for images of 32x64" in capsys.readouterr().err
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["small.png"]


@pytest.mark.parametrize("orientation", [2, 6, 7])
def test_an_image_is_predicted_as_it_is_seen_upright(trained: Path, tmp_path: Path, orientation: int) -> None:
    upright = an_image(tmp_path / "upright.png")
    turned = laid(np.asarray(opened(upright)), orientation)
    Image.fromarray(turned).save(tmp_path / "turned.png", exif=exif(orientation))

    for name in ("upright", "turned"):
        assert predicted(trained, tmp_path / f"{name}.png", "-o", tmp_path / "out", "--labels") == 0
    labels = [np.asarray(opened(tmp_path / "out" / f"{name}.labels.png")) for name in ("upright", "turned")]
    assert labels[0].shape == ODD
    assert np.array_equal(labels[0], labels[1])


def test_the_legend_names_what_occurs_and_nothing_else() -> None:
    classes = classes_of(("here", "absent", "there"))
    labels = np.zeros((64, 128), dtype=np.uint8)
    labels[:, 40:] = 2
    image = np.full((64, 128, 3), 90, dtype=np.uint8)
    bare = picture(image, labels, classes, strength=1.0, with_legend=False)
    whole = picture(image, labels, classes, strength=1.0, with_legend=True)
    assert whole.width >= bare.width and np.array_equal(np.asarray(whole)[:64, :128], np.asarray(bare))
    below = {tuple(each) for each in np.asarray(whole)[64:].reshape(-1, 3).tolist()}
    assert {classes.colours[0], classes.colours[2]} <= below
    assert classes.colours[1] not in below
    plain = np.asarray(picture(image, labels, classes, strength=0.0, with_legend=False))
    assert np.array_equal(plain[:5, :30], image[:5, :30])


@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(5, 60))
@settings(max_examples=40)
def test_a_number_stands_in_its_own_region(seed: int, height: int, width: int) -> None:
    coarse = np.random.default_rng(seed).random((1 + height // 16, 1 + width // 16)) < 0.6
    inside = np.kron(coarse, np.ones((16, 16), dtype=bool))[:height, :width]
    side, y, x = largest_square(inside)
    assert inside[y : y + side, x : x + side].all()
    assert side >= 12 or not _any_square(inside, 12)


def _any_square(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], side: int) -> bool:
    rows, columns = (extent - side + 1 for extent in inside.shape)
    return any(inside[y : y + side, x : x + side].all() for y in range(rows) for x in range(columns))


def test_colours_are_those_of_the_data_or_all_different() -> None:
    assert classes_of(CLASSES.names) == CLASSES
    many: Classes = numbered(60)
    assert len(set(many.colours)) == 60
