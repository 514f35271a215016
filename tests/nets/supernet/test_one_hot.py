"""A supernet that is forced to a genotype is its network."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given, settings

from archdsl.space.count import Census
from tests.nets.supernet.scrambled import differs_from_network, images, scrambled
from tests.pipeline.spaces import SMALL, Case, loaded, samples
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn
from tests.properties.wide_spaces import wide_spaces
from tests.space.samples import sampled


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("one_hot")


ASKING = tuple(case for case in SMALL if str(case) not in {"bisenet", "hrnet", "stdc"})


@pytest.mark.parametrize("case", ASKING, ids=str)
def test_one_hot_decisions_are_the_network(case: Case) -> None:
    are_networks(case, count=2)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case.wide for case in ASKING], ids=str)
def test_one_hot_decisions_are_the_network_for_many_genotypes_of_the_spaces_as_written(case: Case) -> None:
    are_networks(case, count=100)


def are_networks(case: Case, count: int) -> None:
    net = scrambled(loaded(case).program)
    for answers in samples(case, count):
        assert differs_from_network(net, answers, images(net.program)) <= 1e-5


@settings(max_examples=25)
@given(small_spaces())
def test_one_hot_decisions_are_the_network_in_spaces_that_nobody_wrote(folder: Path, text: str) -> None:
    net = scrambled(drawn(folder, text))
    census, random = Census(net.program), Random(8)
    for _ in range(2):
        assert differs_from_network(net, census.sample(random), images(net.program)) <= 1e-5


@settings(max_examples=25)
@given(wide_spaces())
def test_one_hot_decisions_are_the_network_where_widths_are_asked(folder: Path, text: str) -> None:
    net = scrambled(drawn(folder, text))
    random = Random(8)
    for _ in range(2):
        answers, _ = sampled(net.program, random)
        assert differs_from_network(net, answers, images(net.program)) <= 1e-5


@settings(max_examples=25)
@given(wide_spaces())
def test_weights_that_are_taken_over_are_those_of_the_network_and_of_nothing_else(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    net, other = scrambled(program), scrambled(program)
    with torch.no_grad():
        for tensor in other.state_dict().values():
            tensor.mul_(2)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    answers, _ = sampled(program, Random(8))
    own, wanted = net.weights_for(answers), other.weights_for(answers)
    net.take_over(answers, wanted)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in net.weights_for(answers).items())
    net.take_over(answers, own)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
