"""The weights that the repository keeps for `make demo`: those of the network of their text, and trained."""

from __future__ import annotations

from pathlib import Path

import torch

import archdsl
from archdsl.data import open_data
from archdsl.train.evaluate import Views, evaluate
from archdsl.train.inference import NetworkRequest, open_network
from archdsl.train.typed_torch import load_file
from archdsl.weights import load, random_weights, save
from archdsl.weights.description import describe

ROOT = Path(__file__).resolve().parents[2]
TEXT = f"{ROOT}/docs/demo/fasterseg_small.arch:fasterseg_small"
WEIGHTS = ROOT / "docs" / "demo" / "fasterseg_small.safetensors"
CPU = torch.device("cpu")


def miou(weights: Path) -> float:
    """On eight scenes of districts that were not trained on."""
    scenes = open_data("streets", size=(192, 384), count=32)
    return evaluate(open_network(NetworkRequest(TEXT, weights), CPU), scenes, "val", Views(), CPU).scores.miou


def test_they_are_the_tensors_that_the_network_needs_for_inference_in_half_precision() -> None:
    graph = archdsl.load(TEXT).network()
    stored = {name: tensor.dtype for name, tensor in load_file(WEIGHTS).items()}
    assert stored == dict.fromkeys(load(WEIGHTS, graph).tensors, torch.float16)


def test_they_know_streets_and_random_ones_do_not(tmp_path: Path) -> None:
    random = tmp_path / "random.safetensors"
    save(random, random_weights(archdsl.load(TEXT).network()), describe(WEIGHTS).metadata())
    assert miou(random) < 0.1
    assert miou(WEIGHTS) > 0.4
