"""Property 4: what is known of a closed graph without torch is what torch measures on its module."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archdsl.cost.figures import figures
from archdsl.ir import ClosedGraph, closed, for_inference, verify
from archdsl.nets import Network
from archdsl.ops import Shape
from archdsl.pipeline import load
from archdsl.space import Apply, Program
from tests.space.samples import SIZE, SMALL, SPACE, sampled


@pytest.fixture(scope="module")
def program() -> Program:
    return load(str(SPACE), overrides=SMALL, size=SIZE).program


def trained(network: Network) -> int:
    return sum(weight.numel() for weight in network.parameters())


def shapes(graph: ClosedGraph) -> Iterator[tuple[str, Shape]]:
    for path, _ in graph.with_payload(Apply):
        yield path, graph.node(path).shape


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_figures_are_what_torch_measures(program: Program, seed: int) -> None:
    _, trace = sampled(program, Random(seed))
    graph = verify(closed(program, trace, "found"))
    found = figures(graph)
    network = Network(graph).eval()
    assert trained(network) == found.params
    assert trained(Network(graph, auxiliary=True)) == found.params_training
    x_BCHW = torch.zeros(1, 3, *SIZE)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        y_BCHW = network(x_BCHW)
    assert counter.get_total_flops() == 2 * found.macs  # torch counts an addition of its own for each product
    assert isinstance(y_BCHW, torch.Tensor)
    assert y_BCHW.shape == (1, 19, *SIZE)
    with torch.no_grad():
        maps = network.probe(x_BCHW)
    for path, shape in shapes(for_inference(graph)):
        assert tuple(maps[path].shape) == (1, *shape)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_sums_by_cell_and_by_branch_add_up(program: Program, seed: int) -> None:
    _, trace = sampled(program, Random(seed))
    found = figures(closed(program, trace, "found"))
    assert sum(cell.params for cell in found.cells()) == found.params
    assert sum(cell.macs for cell in found.cells()) == found.macs
    assert sum(branch.macs for branch in found.branches()) <= found.macs
