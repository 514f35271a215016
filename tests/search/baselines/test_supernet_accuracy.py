"""Networks scored with a supernet's weights: its own batch norms measured again, the supernet left as it was."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archdsl.data import Data, open_data
from archdsl.nets.supernet.initial import initialise
from archdsl.nets.supernet.supernet import Supernet
from archdsl.pipeline import load
from archdsl.search.baselines.members import Members
from archdsl.search.trials.supernet_accuracy import SupernetAccuracy, recalibrate
from archdsl.space.trace import Answers
from tests.search.baselines.small import write_text

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> Data:
    return open_data("streets", size=(32, 64), count=16)


@pytest.fixture
def supernet(tmp_path: Path) -> Supernet:
    """With weights at random, and statistics of batch norms as nothing has them."""
    made = Supernet(load(str(write_text(tmp_path)), overrides={"classes": "11"}).program)
    initialise(made, 3)
    for name, buffer in made.named_buffers():
        buffer.fill_(7.0 if "mean" in name else 0.1)
    return made


def some(supernet: Supernet) -> Answers:
    answers = dict(Members(supernet.program).sample(Random(1)))
    return {path: ("conv3x3",) if answer == ("identity",) else answer for path, answer in answers.items()}


def test_statistics_of_the_supernet_make_no_difference(supernet: Supernet, data: Data) -> None:
    accuracy, answers = SupernetAccuracy(supernet, data, CPU), some(supernet)
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    first = accuracy(answers)
    assert 0 < first < 1
    after = supernet.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    for buffer in supernet.buffers():
        buffer.fill_(0.5)
    assert accuracy(answers) == first


def test_the_network_computes_what_the_supernet_does_for_these_answers(supernet: Supernet, data: Data) -> None:
    """With the statistics of a batch, on that batch."""
    answers = some(supernet)
    network = SupernetAccuracy(supernet, data, CPU).network(answers)
    images_B3HW = torch.randn(4, 3, 32, 64)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    with torch.no_grad():
        expected = supernet.train()(images_B3HW, supernet.one_hot(answers))
        found = network(images_B3HW)
    assert isinstance(expected, Tensor)
    torch.testing.assert_close(found, expected)


def test_statistics_are_means_over_batches() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3, momentum=0.3), nn.Dropout(0.5), nn.BatchNorm2d(3)).eval()
    batches = [torch.randn(4, 3, 5, 6) * scale + scale for scale in (1.0, 2.0, 5.0)]
    seen: list[Tensor] = []
    last: Any = network[2]

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0])

    last.register_forward_pre_hook(note)
    recalibrate(network, [(batch,) for batch in batches])
    first: Any = network[0]
    for norm, maps in ((first, batches), (last, seen)):
        torch.testing.assert_close(norm.running_mean, torch.stack([each.mean((0, 2, 3)) for each in maps]).mean(0))
        torch.testing.assert_close(norm.running_var, torch.stack([each.var((0, 2, 3)) for each in maps]).mean(0))
        assert not norm.training
    assert first.momentum == 0.3
    assert all(bool((each != 0).all()) for each in seen)  # nothing was dropped
