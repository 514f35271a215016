"""Networks scored as commands: runs, texts with weights, ONNX files; alone, by two processes, and refused."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from archdsl import api
from archdsl.cli.main import run
from archdsl.data.streets import CLASSES
from archdsl.train.inference import NetworkRequest, open_network
from archdsl.train.typed_torch import load_file, save_file
from archdsl.weights.files import load_metadata
from tests.train.commands import finished

STREETS = ["--data", "streets", "--size", "32x64", "--device", "cpu"]
HANDFUL = 5
"""Pixels of 262,144 whose two best classes are closer than the order of sums."""
CPU = torch.device("cpu")
ONNX: Any = onnx  # it has no types of its own


def scored(*arguments: str) -> dict[str, Any]:
    with redirect_stdout(StringIO()) as out:
        code = run(["eval", *arguments, *STREETS, "--format", "json"])
    assert code == 0, out.getvalue()
    return {**json.loads(out.getvalue()), "network": ""}


@pytest.fixture(scope="module")
def network(trained: Path) -> dict[str, Any]:
    """The scores of the run on `test`."""
    return scored(str(trained))


def compiled(run_: Path, folder: Path, emit: str = "logits", size: tuple[int, int] = (32, 64)) -> str:
    """An ONNX file of a run's network."""
    text = run_.parent / "small.arch"
    out = folder / f"{emit}.onnx"
    api.compile(text, "onnx", out, size=size, emit=emit, weights=run_)
    return str(out)


def apart(one: dict[str, Any], other: dict[str, Any]) -> int:
    """How many pixels two evaluations put into other places, at least."""
    return int(np.abs(np.array(one["confusion"]) - np.array(other["confusion"])).sum()) // 2


def test_a_run_has_the_score_that_it_was_trained_to(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "journal.jsonl").read_text().splitlines()]
    best = max((line for line in lines if line["event"] == "score"), key=lambda line: line["miou"])
    found = scored(str(trained), "--split", "val")
    assert (found["miou"], found["accuracy"]) == (best["miou"], best["accuracy"])
    assert sum(map(sum, found["confusion"])) == found["pixels"] == 128 * 32 * 64


def test_two_processes_count_what_one_counts(trained: Path, network: dict[str, Any]) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = finished([*torchrun, "-m", "archdsl", "eval", str(trained), *STREETS, "--format", "json"])
    assert done.returncode == 0, done.stderr[-3000:]
    assert {**json.loads(done.stdout), "network": ""} == network


@pytest.mark.parametrize("emit", ["logits", "labels"])
def test_a_compiled_file_scores_as_the_network_does(
    emit: str, trained: Path, tmp_path: Path, network: dict[str, Any]
) -> None:
    file = scored(compiled(trained, tmp_path, emit))
    assert apart(network, file) <= HANDFUL
    assert file["miou"] == pytest.approx(network["miou"], abs=1e-4)


def test_a_text_with_the_weights_of_a_run_is_the_run(trained: Path, network: dict[str, Any]) -> None:
    assert scored(str(trained.parent / "small.arch"), "--weights", str(trained)) == network


def test_weights_without_auxiliary_outputs_are_enough(
    trained: Path, tmp_path: Path, network: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    best, bare, text = trained / "best.safetensors", tmp_path / "bare.safetensors", str(trained.parent / "small.arch")
    kept = {name: each for name, each in load_file(best).items() if not name.startswith("early")}
    assert len(kept) == len(load_file(best)) - 2
    save_file(kept, bare, load_metadata(best))
    assert scored(text, "--weights", str(bare)) == network
    out = tmp_path / "small.py"
    api.compile(text, "torch", out, weights=bare, verify=True)
    assert load_file(out.with_suffix(".safetensors")).keys() == kept.keys()
    code = run(["verify", text, str(tmp_path / "small.torch.manifest.json"), "--weights", str(bare)])
    assert code == 0, capsys.readouterr()


def test_what_the_weights_know_of_their_data_goes_with_them(trained: Path, tmp_path: Path) -> None:
    text, names = trained.parent / "small.arch", CLASSES.names
    made = api.compile(text, "torch", tmp_path, weights=trained)
    (image,) = made.manifest.inputs
    assert made.manifest.classes is not None and made.manifest.classes.names == names
    assert api.build(text, weights=trained)(torch.zeros(1, 3, 32, 64)).shape[1] == len(names)
    assert image.preprocessing.mean == image.preprocessing.std == (0.5, 0.5, 0.5)
    assert "minus (0.5, 0.5, 0.5)" in (tmp_path / "small.py").read_text(encoding="utf-8")
    assert json.loads(load_metadata(tmp_path / "small.safetensors")["class_names"]) == list(names)
    metadata = {each.key: each.value for each in ONNX.load(compiled(trained, tmp_path)).metadata_props}
    assert json.loads(metadata["class_names"]) == list(names)
    assert json.loads(metadata["mean"]) == json.loads(metadata["std"]) == [0.5, 0.5, 0.5]


def test_an_image_is_padded_to_the_size_of_a_file(trained: Path, tmp_path: Path) -> None:
    network = open_network(NetworkRequest(str(trained)), CPU)
    file = open_network(NetworkRequest(compiled(trained, tmp_path, size=(48, 80))), CPU)
    images = torch.randn(2, 3, 32, 64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        wanted = network.logits(nn.functional.pad(images, (0, 16, 0, 16)))[..., :32, :64]
    assert torch.allclose(file.logits(images), wanted, atol=1e-4)


def test_channels_come_in_the_order_of_the_file(trained: Path, tmp_path: Path) -> None:
    rgb = compiled(trained, tmp_path)
    model = ONNX.load(rgb)
    for each in model.metadata_props:
        each.value = {"channel_order": "BGR", "mean": "[0.1, 0.2, 0.3]"}.get(each.key, each.value)
    ONNX.save(model, tmp_path / "bgr.onnx")
    one, other = (open_network(NetworkRequest(place), CPU) for place in (rgb, str(tmp_path / "bgr.onnx")))
    images = torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(3))
    assert torch.equal(other.logits(images), one.logits(images.flip(1)))
    assert other.statistics == ((0.3, 0.2, 0.1), (0.5, 0.5, 0.5))


def test_people_read_a_table(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", str(trained), *STREETS, "--scales", "0.5", "--flip"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("on `test` of streets: 128 images, at 0.5 of their size, mirrored too")
    assert lines[2].split() == ["class", "IoU", "pixels"]
    assert [line.split()[0] for line in lines[3:14]] == list(CLASSES.names)
    assert lines[14].split()[0] == "mean" and lines[14].split()[-1] == "262,144"


def camvid(folder: Path) -> str:
    """A dataset of other classes."""
    from PIL import Image

    for split in ("train", "test"):
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True)
        Image.new("RGB", (64, 32)).save(folder / split / "images" / "a.png")
        label = Image.new("L", (64, 32))
        label.paste(1, (0, 0, 32, 32))
        label.save(folder / split / "labels" / "a.png")
    named = [{"index": i, "name": name, "color": [i, i, i]} for i, name in enumerate(("cat", "dog"))]
    (folder / "classes.json").write_text(json.dumps({"classes": named}), encoding="utf-8")
    return f"camvid:{folder}"


def test_other_classes_are_refused_with_both_lists(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", str(trained), "--data", camvid(tmp_path / "animals"), "--device", "cpu"]) == 2
    words = capsys.readouterr().err.splitlines()
    assert words[1] == f"  the network knows 11: {', '.join(CLASSES.names)}"
    assert words[2].endswith(" has 2: cat, dog")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.arch"], "nowhere.arch"),
        (["TEXT"], "give those of a training with `--weights RUN`"),
        (["RUN/best.safetensors"], "holds weights: name the text of its network"),
        (["RUN/run.json"], "is not a network: name a run's folder, a text, or an `.onnx` file"),
        (["RUN/.."], "holds no run: there is no `run.json` in it"),
        (["RUN", "--split", "night"], "has no split `night`; it has `train`, `val`, `test`"),
        (["RUN", "--set", "classes=11"], "leave out `--set`"),
        (["RUN", "--scales", "0,1"], "is not a list of scales; write `0.75,1,1.25`"),
        (["TEXT", "--weights", "RUN", "--set", "classes=5"], "the weights are those of another network"),
        (["LABELS", "--flip"], "compile it with `--emit logits`"),
        (["LABELS", "--weights", "RUN"], "leave out `--weights` and `--set`"),
        (["LABELS", "--size", "33x70"], "one of 34x70 does not fit: compile it with `--input 1x3x34x70`"),
        (["BROKEN"], "is no ONNX model, or is cut off"),
    ],
)
def test_what_cannot_be_scored_says_why(
    arguments: list[str], words: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    places = {"TEXT": str(trained.parent / "small.arch"), "BROKEN": str(tmp_path / "broken.onnx")}
    if "LABELS" in arguments:
        places["LABELS"] = compiled(trained, tmp_path, "labels")
    written = [places.get(each, each.replace("RUN", str(trained))) for each in arguments]
    size = [] if "--size" in arguments else ["--size", "32x64"]
    assert run(["eval", *written, *size, "--device", "cpu"]) in (1, 2, 3)
    assert words in capsys.readouterr().err
