"""Networks that read one channel, four channels or several images: compiled, compared, timed, built; `--input`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from archdsl import api
from archdsl.backends.onnx.session import open_onnx
from archdsl.cli.main import run

GREY = """archdsl 1

space grey(classes = 3) {
  in image: 1x32x32
  out logits = image -> conv(4) -> bn -> relu -> conv(classes)
}
"""
FOUR = GREY.replace("grey", "four").replace("1x32x32", "4x32x32")
DEPTH = """archdsl 1

space depth_too(classes = 3) {
  in image: 3x32x64, depth: 1x16x32
  near = depth -> conv(4) -> resize(like = image)
  out logits = concat(image -> conv(4), near) -> relu -> conv(classes)
}
"""
TEXTS = {"grey": GREY, "four": FOUR, "depth_too": DEPTH}
SHAPES = {
    "grey": {"image": [1, 1, 32, 32]},
    "four": {"image": [1, 4, 32, 32]},
    "depth_too": {"image": [1, 3, 32, 64], "depth": [1, 1, 16, 32]},
}


def written(folder: Path, name: str) -> Path:
    path = folder / f"{name}.arch"
    path.write_text(TEXTS[name], encoding="utf-8")
    return path


@pytest.mark.parametrize("name", TEXTS)
def test_files_are_compiled_compared_and_timed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, out = written(tmp_path, name), tmp_path / "out"
    for target in ("onnx", "torch"):
        assert run(["compile", str(text), "--target", target, "-o", str(out), "--verify"]) == 0
    capsys.readouterr()
    assert run(["verify", str(text), str(out), "--format", "json"]) == 0
    parities = json.loads(capsys.readouterr().out)["files"]
    assert [each["within"] for each in parities] == [True, True]
    assert all(each["runs"][0]["difference"] <= 1e-5 for each in parities)
    assert run(["bench", str(out), "--runs", "1", "--format", "json"]) == 0
    timed = json.loads(capsys.readouterr().out)["files"]
    assert [each["inputs"] for each in timed] == [SHAPES[name], SHAPES[name]]


@pytest.mark.parametrize("name", TEXTS)
def test_the_file_computes_what_the_module_does(name: str, tmp_path: Path) -> None:
    text = written(tmp_path, name)
    api.compile(text, "onnx", tmp_path / "net.onnx")
    network = api.build(text).eval()
    generator = np.random.default_rng(0)
    images = {each: generator.normal(size=shape).astype(np.float32) for each, shape in SHAPES[name].items()}
    (found,) = open_onnx(tmp_path / "net.onnx").run(images)
    with torch.inference_mode():
        wanted = network(**{each: torch.as_tensor(image) for each, image in images.items()})
    assert found.shape == (1, 3, *SHAPES[name]["image"][2:])
    assert np.allclose(found, wanted, atol=1e-5)


def test_another_size_is_that_of_the_first_image_and_others_keep_their_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written(tmp_path, "depth_too")
    assert run(["compile", str(text), "--target", "onnx", "-o", str(tmp_path / "a.onnx"), "--input", "1x3x64x96"]) == 0
    assert open_onnx(tmp_path / "a.onnx").inputs == {"image": (1, 3, 64, 96), "depth": (1, 1, 32, 48)}
    assert run(["check", str(text), "--input", "1x3x33x64"]) == 1
    assert "an image of 33x64 does not divide: `depth` is 1/2 of it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "name", "shape", "words"),
    [
        ("stats", "grey", "1x3x32x32", "reads `image: 1x32x32`, and `--input 1x3x32x32` has other channels: write"),
        ("check", "grey", "3x32x32", "write `--input 1x1x32x32`"),
        ("show", "depth_too", "1x1x32x64", "write `--input 1x3x32x64`"),
    ],
)
def test_channels_are_those_of_the_text(
    command: str, name: str, shape: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = written(tmp_path, name)
    assert run([command, str(text), "--input", shape]) == 2
    assert words in capsys.readouterr().err
    own = "x".join(map(str, SHAPES[name]["image"]))
    assert run([command, str(text), "--input", own]) == 0


def test_a_compiled_file_is_timed_with_its_own_channels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = written(tmp_path, "grey")
    for target in ("onnx", "torch"):
        api.compile(text, target, tmp_path / "out")
    for file in ("grey.onnx", "grey.py"):
        assert run(["bench", str(tmp_path / "out" / file), "--runs", "1", "--input", "1x3x32x32"]) == 2
        assert "reads images of 1 channel, and `--input 1x3x32x32` has 3" in capsys.readouterr().err
        assert run(["bench", str(tmp_path / "out" / file), "--runs", "1", "--input", "1x1x32x32"]) == 0
