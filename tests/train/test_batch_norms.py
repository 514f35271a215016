"""Batch norms that see one value of a channel: said before a run, with the names of their maps."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from archdsl.data import Data, Example, open_data
from archdsl.search.run import SearchRequest, search
from archdsl.search.run import prepare as prepare_search
from archdsl.train import Refused, train
from archdsl.train.distributed import fabric_of
from archdsl.train.evaluate import batched
from archdsl.train.prepare import TrainRequest, prepare

POOLED = """archdsl 1

use std

space net(classes = 3, c = 4) {
  in image: 3x32x64
  body = image -> conv3x3(c, s = 2)
  pooled = body -> global_avg_pool -> conv1x1(c) -> resize(like = body)
  choose operator in {conv1x1, conv3x3}
  out logits = (body + pooled) -> operator(c) -> conv(classes, k = 1) -> resize(like = image)
}

search net_s of net {
  relax = softmax
  derive = argmax
  arch = adam(lr = 0.05)
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 4)
  iterations = 2
}

genotype one of net {
  operator = conv1x1
}
"""


@cache
def streets(images: int) -> Data:
    """So many images to train on, and a quarter as many of other splits."""
    return open_data("streets", size=(32, 64), count=images)


def text(folder: Path) -> Path:
    (folder / ".git").mkdir(exist_ok=True)  # what makes a folder a project, whose genotypes may use the text
    path = folder / "net.arch"
    path.write_text(POOLED, encoding="utf-8")
    return path


@pytest.mark.parametrize(("batch", "accumulate", "help"), [(1, 1, "--batch 2"), (4, 4, "--batch 8")])
def test_a_training_with_one_image_at_a_time_is_refused(batch: int, accumulate: int, help: str, tmp_path: Path) -> None:
    request = TrainRequest(f"{text(tmp_path)}:one", tmp_path / "run", batch=batch, accumulate=accumulate, iterations=1)
    with pytest.raises(Refused, match=f"the map `pooled.conv1x1.bn` is 1x1.*{help}"):
        prepare(request, streets(8))
    assert not (tmp_path / "run").exists()


def test_two_images_at_a_time_are_trained(tmp_path: Path) -> None:
    request = TrainRequest(f"{text(tmp_path)}:one", tmp_path / "run", batch=4, accumulate=2, iterations=2)
    assert train(prepare(request, streets(8)).setup, fabric_of("cpu", "fp32")).finished


def test_a_search_with_one_image_at_a_time_is_refused(tmp_path: Path) -> None:
    request = SearchRequest(f"{text(tmp_path)}:net_s", tmp_path / "run", batch=1)
    with pytest.raises(Refused, match=r"the map `pooled.conv1x1.bn` is 1x1.*--batch 2"):
        prepare_search(request, streets(8))


def test_a_search_scores_no_image_alone(tmp_path: Path) -> None:
    request = SearchRequest(f"{text(tmp_path)}:net_s", tmp_path / "run")
    five = streets(20)
    assert len(five.splits["val"]) == 5
    outcome = search(prepare_search(request, five).setup, fabric_of("cpu", "fp32"))
    assert outcome.best is not None
    alone = streets(4)
    assert len(alone.splits["val"]) == 1
    setup = prepare_search(SearchRequest(f"{text(tmp_path)}:net_s", tmp_path / "other"), alone).setup
    with pytest.raises(Refused, match=r"statistics from `val`, of which each process has one image.*--score-on"):
        search(setup, fabric_of("cpu", "fp32"))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("count", "least", "sizes"),
    [(9, 1, [4, 4, 1]), (9, 2, [4, 3, 2]), (8, 2, [4, 4]), (5, 2, [3, 2]), (1, 2, [1]), (0, 2, [])],
)
def test_how_examples_are_batched(count: int, least: int, sizes: list[int]) -> None:
    examples = [Example(np.full((2, 2, 3), i, np.uint8), np.zeros((2, 2), np.uint8)) for i in range(count)]
    found = list(batched(examples, 4, least=least))
    assert [len(images) for images, _ in found] == sizes
    if found:
        seen = torch.cat([images for images, _ in found])[:, 0, 0, 0]
        assert torch.equal(seen, torch.arange(count, dtype=torch.uint8))
