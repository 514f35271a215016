"""Classifiers of whole images, and networks of several inputs: searched, sampled and ranked as others are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from archdsl.cli.main import run
from archdsl.nets import Network
from archdsl.nets.supernet import Supernet
from archdsl.nets.supernet.initial import initialise
from archdsl.pipeline import load
from archdsl.pipeline.default_genotype import default_answers
from archdsl.search.baselines.candidates import read_candidates
from archdsl.train.run import Record
from tests.train.test_classification import SPACE as CLASSIFIER
from tests.train.test_classification import folders
from tests.train.test_inputs import dataset

TRAINING = """
train net_t of net {
  iterations = 2
  weights = sgd(lr = 0.05, momentum = 0.9, batch = 2)
}
"""
RGBD = """archdsl 1

use std

space net(classes = 2, c = 4) {
  in image: 3x16x16, depth: 1x8x8
  choose operator in {conv1x1, conv3x3}
  far = depth -> operator(c) -> resize(like = image)
  out logits = concat(image -> conv3x3(c), far) -> conv(classes, k = 1, bias = yes)
}

search net_s of net {
  relax = softmax
  derive = argmax
  arch = adam(lr = 0.05)
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 2)
  iterations = 2
}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").touch()
    file = folder / "net.arch"
    file.write_text(text + TRAINING, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", ["classifier", "several inputs"])
def test_it_is_searched_sampled_and_ranked(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if kind == "classifier":
        text, data = CLASSIFIER, f"folder:{folders(tmp_path / 'sorted', train=4, others=2)}"
    else:
        text, data = RGBD, f"camvid:{dataset(tmp_path / 'rgbd', 'rgbd')}"
    file = written(tmp_path, text)
    on = ["--data", data, "--size", "16x16", "--device", "cpu"]
    assert run(["search", str(file), "--out", str(tmp_path / "found"), *on]) == 0
    asked = ["baseline", str(file), "--evaluations", "3", "--format", "json", *on]
    capsys.readouterr()
    merit = {"classifier": "top-1"}.get(kind, "mIoU")
    for by, more in (("random", []), ("evolution", ["--population", "2", "--tournament", "1"])):
        assert run([*asked, "--by", by, *more, "--out", str(tmp_path / by)]) == 0
        told = capsys.readouterr()
        assert f"candidate 3 of 3: {merit} " in told.err
        assert json.loads(told.out)["best"]["accuracy"] == max(each.accuracy for each in read_candidates(tmp_path / by))
        assert f"{merit} " in (tmp_path / by / "genotype.arch").read_text(encoding="utf-8")
    sampled = [*asked, "--by", "random", "--supernet", str(tmp_path / "found"), "--out", str(tmp_path / "sampled")]
    assert run(sampled) == 0
    assert run(["rank", str(tmp_path / "found"), "--networks", "3", "--iterations", "2", "--batch", "2", *on]) == 0
    ranked = json.loads((tmp_path / "found" / "rank" / "rank.json").read_text(encoding="utf-8"))
    estimates = [each["estimate"] for each in ranked["networks"]]
    assert estimates == [each.accuracy for each in read_candidates(tmp_path / "sampled")]
    assert run([*sampled, "--resume"]) == 0
    assert Record.read(tmp_path / "sampled").values.get("accuracy") == (merit if kind == "classifier" else None)


def test_networks_that_do_not_fit_the_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", f"folder:{folders(tmp_path / 'sorted', train=2, others=1)}", "--size", "16x16"]
    file = written(tmp_path, RGBD.replace(", depth: 1x8x8", "").replace("depth ->", "image ->"))
    assert run(["baseline", str(file), "--by", "random", "--out", str(tmp_path / "run"), *data]) == 2
    assert "the output `logits` of `net` is a map, and" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_supernet_reads_stacked_inputs_as_its_networks_do(tmp_path: Path) -> None:
    """The second input is half as large in the text, and scaled down as it is read."""
    loaded = load(str(written(tmp_path, RGBD)))
    supernet = Supernet(loaded.program)
    initialise(supernet)
    answers = default_answers(loaded)
    network = Network(supernet.network_graph(answers))
    network.load_state_dict(supernet.weights_for(answers))
    x_BCHW = torch.rand(2, 4, 16, 16)
    with torch.no_grad():
        expected = network.eval()(*network.unstacked(x_BCHW))
        found = supernet.eval()(x_BCHW, supernet.one_hot(answers))
    assert torch.allclose(found, expected, atol=1e-6)
    grey = x_BCHW.clone()
    grey[:, 3] = 0
    assert not torch.allclose(supernet(grey, supernet.one_hot(answers)), expected)
