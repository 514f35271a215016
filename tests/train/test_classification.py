"""Whole images in classes, end to end: training, scores, prediction, compiled files, and what does not go together."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import archdsl
from archdsl.data import Data, open_data
from archdsl.search.run import SearchRequest, search
from archdsl.search.run import prepare as prepare_search
from archdsl.settings.losses import CrossEntropy, Ohem
from archdsl.train import Confusion, Refused, train
from archdsl.train.distributed import fabric_of
from archdsl.train.losses import loss_of, median_frequency_weights
from archdsl.train.prepare import TrainRequest, prepare
from tests.train.commands import finished

TEXT = """archdsl 1

use std

space net(classes = 2) {
  in image: 3x16x16
  body = image -> conv3x3(8, s = 2) -> conv3x3(16, s = 2)
  out logits = body -> global_avg_pool -> linear(classes)
  out aux early = body -> global_max_pool -> conv(classes, k = 1, bias = yes)
}

train net_t of net {
  iterations = 60
  auxiliary = 0.3
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 8)
  augment = flip, crop(16x16)
}
"""

SPACE = """archdsl 1

use std

space net(classes = 2, c = 8) {
  in image: 3x16x16
  choose operator in {conv1x1, conv3x3}
  body = image -> conv3x3(c, s = 2) -> operator(c)
  out logits = body -> global_avg_pool -> conv(classes, k = 1, bias = yes)
}

search net_s of net {
  relax = softmax
  derive = argmax
  arch = adam(lr = 0.05)
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 4)
  iterations = 3
}
"""

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
"""Three classes that differ by colour."""
COMMAND = [sys.executable, "-m", "archdsl"]


def folders(root: Path, *, train: int = 8, others: int = 3) -> Path:
    """Images of all sizes, sorted into a folder for each class, as ImageNet is."""
    for split, count in (("train", train), ("val", others), ("test", others)):
        for name, colour in COLOURS.items():
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                noise = np.random.default_rng((number, len(split))).integers(-30, 30, (18 + number, 20, 3))
                pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.JPEG", quality=95)
    return root


def write(folder: Path, text: str = TEXT) -> Path:
    (folder / ".git").mkdir(exist_ok=True)  # what makes a folder a project, whose genotypes may use the text
    path = folder / "net.arch"
    path.write_text(text, encoding="utf-8")
    return path


def said(*arguments: object) -> str:
    done = finished([*COMMAND, *map(str, arguments)])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned the three colours; text and images lie beside it."""
    folder = tmp_path_factory.mktemp("classifier")
    data = folders(folder / "images")
    said("train", write(folder), "--data", f"folder:{data}", "--size", "16x16", "--out", folder / "run")
    return folder / "run"


def test_it_is_trained_and_scored_by_top_1_and_top_5(run: Path) -> None:
    events = [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [each for each in events if each["event"] == "step"]
    assert {"loss", "logits", "early"} <= steps[0].keys()
    last = [each for each in events if each["event"] == "score"][-1]
    assert (last["top1"], last["top5"]) == (1.0, 1.0)
    found = json.loads(
        said("eval", run, "--data", f"folder:{run.parent / 'images'}", "--size", "16x16", "--format", "json")
    )
    assert (found["split"], found["images"], found["top1"], found["top5"]) == ("test", 9, 1.0, 1.0)
    assert found["classes"]["blue"] == {"images": 3, "right": 3, "among_five": 3}
    assert found["confusion"] == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]


@pytest.mark.parametrize("emit", ["logits", "labels"])
def test_what_is_compiled_of_it_scores_the_same(emit: str, run: Path, tmp_path: Path) -> None:
    text, data = run.parent / "net.arch", f"folder:{run.parent / 'images'}"
    said("compile", text, "--target", "onnx", "--weights", run, "--emit", emit, "-o", tmp_path)
    manifest = json.loads((tmp_path / "net.onnx.manifest.json").read_text(encoding="utf-8"))
    wanted = [1, 3] if emit == "logits" else [1]
    assert manifest["outputs"] == [{"name": "logits", "shape": wanted, "kind": emit}]
    assert "within" in said("verify", text, tmp_path, "--weights", run)
    assert "median" in said("bench", tmp_path, "--runs", "1")
    found = json.loads(said("eval", tmp_path / "net.onnx", "--data", data, "--size", "16x16", "--format", "json"))
    assert found["top1"] == 1.0
    assert found["top5"] == (1.0 if emit == "logits" else None)


def test_every_target_gives_n_by_classes(run: Path, tmp_path: Path) -> None:
    text = run.parent / "net.arch"
    network = archdsl.build(text, weights=run, auxiliary=True).eval()
    images = torch.rand(5, 3, 16, 24)
    assert network(images).shape == (5, 3)
    assert {name: tuple(each.shape) for name, each in network.outputs(images).items()} == {
        "logits": (5, 3),
        "early": (5, 3),
    }
    said("compile", text, "--target", "torch", "--weights", run, "-o", tmp_path)
    assert "within" in said("verify", text, tmp_path, "--weights", run)
    shown = finished([sys.executable, str(tmp_path / "net.py"), str(tmp_path / "net.safetensors")])
    assert shown.stdout == "(1, 3)\n"


def test_it_predicts_the_classes_of_images(run: Path, tmp_path: Path) -> None:
    image = run.parent / "images" / "val" / "green" / "0.JPEG"
    line = said("predict", run, image, "--size", "16x16")
    assert line.startswith(f"{image}  green ")
    found = json.loads(
        said("predict", run, image.parent, "--size", "16x16", "-o", tmp_path / "seen", "--format", "json")
    )
    assert [each["likely"][0]["class"] for each in found["images"]] == ["green"] * 3
    assert sum(each["probability"] for each in found["images"][0]["likely"]) == pytest.approx(1)
    assert len(found["files"]) == 3
    with Image.open(found["files"][0]) as page:
        assert page.height > 18
    refused = finished([*COMMAND, "predict", str(run), str(image), "--labels", "-o", str(tmp_path / "a.png")])
    assert (refused.returncode, "leave out `--labels`" in refused.stderr) == (2, True)


def test_a_search_of_classifiers(tmp_path: Path) -> None:
    data = open_data(f"folder:{folders(tmp_path / 'images')}", size=(16, 16))
    setup = prepare_search(SearchRequest(str(write(tmp_path, SPACE)), tmp_path / "run"), data).setup
    outcome = search(setup, fabric_of("cpu", "fp32"))
    assert outcome.scores is not None
    assert outcome.scores.top5 == 1.0
    assert outcome.best == outcome.scores.accuracy


def test_folders_in_the_folder_of_a_class_belong_to_it(tmp_path: Path) -> None:
    root = folders(tmp_path / "images")
    (root / "train" / "red" / "images").mkdir()
    for number in range(4):
        (root / "train" / "red" / f"{number}.JPEG").rename(root / "train" / "red" / "images" / f"{number}.JPEG")
    train = open_data(f"folder:{root}", size=(16, 16)).splits["train"]
    assert len(train) == 3 * 8
    assert sorted(name for name in train.names if name.startswith("red")) == [f"red/{number}" for number in range(8)]


# What does not go together ----------------------------------------------------------------------

MAP = TEXT.replace(
    "out logits = body -> global_avg_pool -> linear(classes)", "out logits = body -> conv(classes, k = 1)"
)


def test_pixels_and_whole_images_are_told_apart(run: Path, tmp_path: Path) -> None:
    streets = open_data("streets", size=(16, 16), count=8)
    images = open_data(f"folder:{run.parent / 'images'}", size=(16, 16))
    text = str(write(tmp_path))
    with pytest.raises(Refused, match=r"`logits` of `net` is one answer for a whole image.*streets has a class"):
        prepare(TrainRequest(text, tmp_path / "run"), streets)
    with pytest.raises(Refused, match="`logits` of `net` is one answer for a whole image"):
        prepare_search(SearchRequest(str(write(tmp_path, SPACE)), tmp_path / "run"), streets)
    with pytest.raises(Refused, match="`logits` of `net` is a map"):
        text = write(tmp_path, SPACE.replace("body -> global_avg_pool ->", "body ->"))
        prepare_search(SearchRequest(str(text), tmp_path / "run"), images)
    scored = finished([*COMMAND, "eval", str(run), "--data", "streets", "--size", "16x16"])
    assert scored.returncode == 2
    assert "classifies whole images, and streets has a class for each pixel" in scored.stderr


def test_a_network_of_maps_is_pretrained_by_a_head(run: Path, tmp_path: Path) -> None:
    images = open_data(f"folder:{run.parent / 'images'}", size=(16, 16))
    text = MAP.replace("  auxiliary = 0.3\n", "  loss = bootstrapped_cross_entropy\n").replace(
        "iterations = 60", "epochs = 8"
    )
    prepared = prepare(TrainRequest(str(write(tmp_path, text)), tmp_path / "run"), images)
    assert any("classified by the mean of `body" in each for each in prepared.notices)
    assert any("`bootstrapped_cross_entropy` is `cross_entropy` here" in each for each in prepared.notices)
    outcome = train(prepared.setup, fabric_of("cpu", "fp32"))
    assert outcome.best == 1.0


# Losses and scores ------------------------------------------------------------------------------


def test_no_class_of_whole_images_is_ignored() -> None:
    """255 is what pixels without a class are labelled, and the 256th class of whole images."""
    logits, labels = (
        torch.randn(6, 300, generator=torch.Generator().manual_seed(0)),
        torch.tensor([255, 255, 3, 0, 9, 255]),
    )
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(loss_of(CrossEntropy(), logits, labels), expected.mean())
    hardest = loss_of(Ohem(threshold=1e-9, keep=0.5), logits, labels)
    assert torch.allclose(hardest, expected.topk(3).values.mean())
    assert float(median_frequency_weights(list(labels), 300)[255]) == pytest.approx(1.0)
    confusion = Confusion(300)
    confusion.add_images(torch.nn.functional.one_hot(labels, 300).float(), labels)
    scores = confusion.scores()
    assert (scores.pixels, scores.accuracy, scores.top5) == (6, 1.0, 1.0)


def test_top_5_is_what_ranks_say() -> None:
    likely = torch.randn(200, 30, generator=torch.Generator().manual_seed(1))
    labels = torch.randint(0, 30, (200,), generator=torch.Generator().manual_seed(2))
    confusion = Confusion(30)
    for part in range(0, 200, 7):
        confusion.add_images(likely[part : part + 7], labels[part : part + 7])
    scores = confusion.scores()
    five = likely.topk(5).indices
    assert scores.top5 == pytest.approx(float((five == labels[:, None]).any(1).double().mean()))
    assert scores.accuracy == pytest.approx(float((likely.argmax(1) == labels).double().mean()))
    assert scores.merit == scores.accuracy


def test_of_equally_likely_classes_the_first_come_first() -> None:
    confusion = Confusion(8)
    confusion.add_images(torch.zeros(8, 8), torch.arange(8))
    scores = confusion.scores()
    assert (scores.accuracy, scores.top5) == (1 / 8, 5 / 8)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """More classes than a byte holds, with an image each."""
    root = tmp_path_factory.mktemp("many")
    for split in ("train", "val"):
        for number in range(260):
            (root / split / f"c{number:03}").mkdir(parents=True)
            pixels = np.full((8, 8, 3), (number % 251, number // 2, 7), np.uint8)
            Image.fromarray(pixels).save(root / split / f"c{number:03}" / "0.png")
    return open_data(f"folder:{root}", size=(16, 16))


def test_more_classes_than_a_byte_holds(many: Data, tmp_path: Path) -> None:
    prepared = prepare(TrainRequest(str(write(tmp_path)), tmp_path / "run", iterations=2), many)
    outcome = train(prepared.setup, fabric_of("cpu", "fp32"))
    assert outcome.scores is not None
    assert outcome.scores.pixels == 260
