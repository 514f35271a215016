"""Two processes over gloo are one process with the joined batch: real processes, started by torchrun."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import Tensor

from archdsl.train.typed_torch import load_file
from tests.train.commands import finished
from tests.train.small import write_text


def run(command: list[str]) -> None:
    done = finished(command)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("joined")
    worker = ["tests/train/gloo_worker.py", str(write_text(folder)), str(folder)]
    run([sys.executable, *worker])
    run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *worker])
    return load_file(folder / "rank0of1.safetensors"), [load_file(folder / f"rank{r}of2.safetensors") for r in (0, 1)]


def test_gradients_and_statistics_are_those_of_the_joined_batch(
    results: tuple[dict[str, Tensor], list[dict[str, Tensor]]],
) -> None:
    alone, both = results
    assert len(alone) > 50
    for name, expected in alone.items():
        for found in both:
            largest = float(expected.abs().max())
            assert float((found[name] - expected).abs().max()) <= 1e-6 * max(1.0, largest), name


def test_scores_are_exactly_those_of_all_images(results: tuple[dict[str, Tensor], list[dict[str, Tensor]]]) -> None:
    alone, both = results
    assert all(torch.equal(found["scores"], alone["scores"]) for found in both)
