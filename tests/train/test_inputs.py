"""Networks of one channel, of four, and of two images: trained, scored, compiled and shown as one would RGB."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archdsl import api
from archdsl.cli.main import run
from archdsl.data import BadData, ImageInput, open_data

TEXT = """archdsl 1

space grey(classes = 2) {
  in image: 1x16x16
  out logits = image -> conv(4) -> bn -> relu -> conv(classes, bias = yes)
}

space four(classes = 2) {
  in image: 4x16x16
  out logits = image -> conv(4) -> bn -> relu -> conv(classes, bias = yes)
}

space rgbd(classes = 2) {
  in image: 3x16x16, depth: 1x8x8
  far = depth -> conv(4) -> bn -> relu -> resize(like = image)
  out logits = concat(image -> conv(4), far) -> conv(classes, bias = yes)
}
"""
SIZE = (16, 16)
INPUTS = {
    "grey": (ImageInput("image", 1),),
    "four": (ImageInput("image", 4),),
    "rgbd": (ImageInput("image", 3), ImageInput("depth", 1)),
}


def pixels(split: str, number: int, channels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    seed = (["train", "val", "test"].index(split), number, channels)
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, channels), dtype=np.uint8)


def dataset(root: Path, name: str) -> Path:
    """Two frames a split, whose class shows in grey, in the fourth channel or in the depth alone."""
    classes = [{"index": i, "name": each, "color": [255 * i] * 3} for i, each in enumerate(("near", "far"))]
    root.mkdir()
    (root / "classes.json").write_text(json.dumps({"classes": classes}), encoding="utf-8")
    for split in ("train", "val", "test"):
        for folder in ("images", "labels", "depth"):
            (root / split / folder).mkdir(parents=True)
        for number in range(2):
            label = (pixels(split, number, 1)[::4, ::4, 0] > 127).repeat(4, 0).repeat(4, 1)
            shown = (200 * label + 20).astype(np.uint8)
            image = {"grey": shown, "four": np.dstack([pixels(split, number, 3), shown])}.get(name)
            Image.fromarray(pixels(split, number, 3) if image is None else image).save(
                root / split / "images" / f"{number}.png"
            )
            Image.fromarray(shown).save(root / split / "depth" / f"{number}.png")
            Image.fromarray(label.astype(np.uint8)).save(root / split / "labels" / f"{number}.png")
    return root


@pytest.mark.parametrize("name", INPUTS)
def test_examples_have_the_channels_of_all_inputs(name: str, tmp_path: Path) -> None:
    root = dataset(tmp_path / "data", name)
    data = open_data(f"camvid:{root}", inputs=INPUTS[name])
    channels = sum(each.channels for each in INPUTS[name])
    example = data.splits["val"].read(1)
    assert example.image.shape == (*SIZE, channels)
    assert np.array_equal(example.image[:, :, -1], 200 * example.label + 20)
    assert len(data.mean) == len(data.std) == channels
    if name == "grey":
        assert data.mean == pytest.approx((0.299 * 0.485 + 0.587 * 0.456 + 0.114 * 0.406,))
    else:
        assert data.mean == (0.485, 0.456, 0.406, 0.5)


@pytest.mark.parametrize("name", INPUTS)
def test_a_network_is_trained_scored_compiled_and_shown(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, root, out = tmp_path / "nets.arch", dataset(tmp_path / "data", name), tmp_path / "run"
    text.write_text(TEXT, encoding="utf-8")
    data = ["--data", f"camvid:{root}", "--device", "cpu"]
    net = f"{text}:{name}"
    assert run(["train", net, *data, "--out", str(out), "--batch", "2", "--epochs", "2"]) == 0
    file = tmp_path / "net.onnx"
    api.compile(net, "onnx", file, weights=out, overrides={"classes": 2})
    capsys.readouterr()
    found: list[dict[str, object]] = []
    for what in ([str(out)], [net, "--weights", str(out)], [str(file)]):
        assert run(["eval", *what, *data, "--format", "json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["confusion"])
    assert found[0] == found[1] == found[2]
    image = root / "val" / "images" / "0.png"
    beside = ["--with", f"depth={root / 'val' / 'depth' / '0.png'}"] if name == "rgbd" else []
    for what in (out, file):
        seen = tmp_path / f"{what.stem}.png"
        assert run(["predict", str(what), str(image), "-o", str(seen), "--labels", "--device", "cpu", *beside]) == 0
    first, other = (np.asarray(Image.open(tmp_path / f"{each}.labels.png")) for each in ("run", "net"))
    assert first.shape == SIZE
    assert np.array_equal(first, other)


def test_files_of_other_inputs_that_lack_or_differ_are_named(tmp_path: Path) -> None:
    root = dataset(tmp_path / "data", "rgbd")
    (root / "train" / "depth" / "0.png").unlink()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / "val" / "depth" / "1.png")
    with pytest.raises(BadData) as told:
        open_data(f"camvid:{root}", inputs=INPUTS["rgbd"])
    missing, smaller = sorted(told.value.problems, key=lambda each: each.path)
    assert (missing.path, missing.what) == (str(root / "train" / "depth" / "0.png"), "is not there")
    assert smaller.path == str(root / "val" / "depth" / "1.png")
    assert smaller.what == f"is 8x8, and `{root / 'val' / 'images' / '1.png'}` 16x16"


def test_four_channels_are_not_made_of_three(tmp_path: Path) -> None:
    root = dataset(tmp_path / "data", "rgbd")
    with pytest.raises(BadData, match=r"has no alpha \(`RGB`\), and 4 channels are read"):
        open_data(f"camvid:{root}", inputs=INPUTS["four"])


@pytest.mark.parametrize(
    ("written", "inputs", "words"),
    [
        ("streets", INPUTS["rgbd"], "has images of RGB alone, and the network reads `image` of 3 channels and `depth`"),
        ("streets", (ImageInput("image", 5),), "image files have 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA)"),
    ],
)
def test_data_without_such_images_are_told(written: str, inputs: tuple[ImageInput, ...], words: str) -> None:
    with pytest.raises(BadData) as told:
        open_data(written, inputs=inputs)
    assert words in str(told.value)


def test_streets_are_drawn_in_grey() -> None:
    colours, grey = (
        open_data("streets", size=(16, 32), count=2, inputs=each) for each in ((ImageInput("x", 3),), INPUTS["grey"])
    )
    image, luma = colours.splits["train"].read(0).image, grey.splits["train"].read(0).image
    assert luma.shape == (16, 32, 1)
    assert np.array_equal(luma[:, :, 0], np.asarray(Image.fromarray(image).convert("L")))


def test_predict_asks_for_the_other_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, root = tmp_path / "nets.arch", dataset(tmp_path / "data", "rgbd")
    text.write_text(TEXT, encoding="utf-8")
    api.compile(f"{text}:rgbd", "onnx", tmp_path / "net.onnx")
    image = str(root / "val" / "images" / "0.png")
    asked = ["predict", str(tmp_path / "net.onnx"), image, "-o", str(tmp_path / "seen.png")]
    assert run(asked) == 2
    assert "reads `depth` beside `image`: give it with `--with depth=FILE`" in capsys.readouterr().err
    assert run([*asked, "--with", f"depth={image}", "--with", f"far={image}"]) == 2
    assert "has no other input `far`: beside `image` it reads `depth`" in capsys.readouterr().err
