"""Outputs that are not one map of classes at the size of the image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archdsl.cli.main import run
from tests.train.test_inputs import dataset

TEXT = """archdsl 1

space quarter(classes = 2) {
  in image: 3x16x16
  small = image -> conv(4, s = 4) -> bn -> relu
  out logits = small -> conv(classes, bias = yes)
  out aux deep = small -> conv(4, s = 2) -> relu -> conv(classes, bias = yes)
}

space two(classes = 2) {
  in image: 3x16x16
  x = image -> conv(4) -> bn -> relu
  out a = x -> conv(classes, bias = yes)
  out b = x -> conv(classes, k = 1, bias = yes)
  out numbers = a -> argmax
}

space fixed() {
  in image: 3x16x16
  out logits = image -> conv(12)
}

space wide(classes = 2) {
  in image: 3x16x16
  out logits = image -> conv(classes)
  out aux other = image -> conv(5)
}

space none() {
  in image: 1x16x16
  out logits = concat(image -> avg_pool(3), image -> max_pool(3))
}
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    dataset(tmp_path / "data", "rgbd")
    path = tmp_path / "nets.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path


def data(text: Path) -> list[str]:
    return ["--data", f"camvid:{text.parent / 'data'}", "--device", "cpu"]


def trained(text: Path, name: str, *more: str) -> int:
    length = ["--batch", "2", "--iterations", "2"]
    return run(["train", f"{text}:{name}", *data(text), "--out", str(text.parent / "run"), *length, *more])


def test_smaller_maps_are_resized_to_the_labels(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(text, "quarter") == 0
    assert "`logits` has 4x4 pixels of an image of 16x16: it is resized to the labels" in capsys.readouterr().err
    assert run(["eval", str(text.parent / "run"), *data(text), "--split", "val", "--format", "json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    journal = [json.loads(line) for line in (text.parent / "run" / "journal.jsonl").read_text().splitlines()]
    assert scored["pixels"] == 2 * 16 * 16
    best = max(line["miou"] for line in journal if "miou" in line)
    assert best == pytest.approx(scored["miou"], abs=1e-9)


def test_one_of_several_outputs_is_chosen(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(text, "two") == 2
    assert (
        "has several outputs (`a`, `b`, `numbers`): choose that of classes with `--output a`" in capsys.readouterr().err
    )
    assert trained(text, "two", "--output", "c") == 2
    assert "has no output `c`: `--output` takes `a`, `b`, `numbers`" in capsys.readouterr().err
    assert trained(text, "two", "--output", "numbers") == 2
    assert "is numbers of classes (`argmax`), and logits are asked for" in capsys.readouterr().err
    assert not (text.parent / "run").exists()
    assert trained(text, "two", "--output", "b") == 0
    assert "`b` is trained, and `a`, `numbers` not" in capsys.readouterr().err
    scored: list[float] = []
    for what in ([], ["--output", "b"], ["--output", "a"]):
        assert run(["eval", str(text.parent / "run"), *data(text), "--format", "json", *what]) == 0
        scored.append(json.loads(capsys.readouterr().out)["miou"])
    assert scored[0] == scored[1] != scored[2]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fixed", "`fixed` gives 12 classes, and camvid:"),
        ("wide", "the output `other` of `wide` gives 5 classes, and camvid:"),
        ("none", "nothing of `none` is trained: no parameter has a part in `logits`"),
    ],
)
def test_what_cannot_be_trained_is_told_before_the_run(
    name: str, words: str, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(text, name) == 2
    assert words in capsys.readouterr().err
    assert not (text.parent / "run").exists()
