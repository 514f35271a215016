"""Property 4 on uniform samples of every space: they compile to torch, and torch counts what the rules count."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archdsl.backends import to_torch_source
from archdsl.cost import figures
from archdsl.ir import ClosedGraph
from archdsl.nets import Network
from tests.backends.modules import module_of
from tests.pipeline.spaces import SMALL, Case, graph_of, laws, samples

META = torch.device("meta")
"""Its tensors have shapes and no numbers, so that images may be as large as they are."""


def built(graph: ClosedGraph, *, auxiliary: bool = False) -> Network:
    with META:
        return Network(graph, auxiliary=auxiliary)


def standalone(graph: ClosedGraph) -> nn.Module:
    """The network of the file that is compiled of the graph, which is imported as anyone would."""
    module: Any = module_of(to_torch_source(graph))
    with META:
        return module.load.__annotations__["return"]()


def tensors(network: nn.Module) -> dict[str, torch.Size]:
    state: dict[str, Tensor] = network.state_dict()
    return {name: tensor.shape for name, tensor in state.items()}


def numbers(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def with_zeros(network: nn.Module) -> nn.Module:
    """With numbers on the CPU, made faster than random ones."""
    real = network.to_empty(device="cpu")
    for tensor in real.state_dict().values():
        tensor.zero_()
    return real


def products(network: nn.Module, graph: ClosedGraph, device: str = "cpu") -> int:
    """Multiply-adds as torch measures them on one image: it counts an addition of its own for each product."""
    image = graph.node(graph.images[0]).shape
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(torch.zeros(1, 3, image.height, image.width, device=device))
    total = counter.get_total_flops()
    assert total % 2 == 0
    return total // 2


@pytest.mark.parametrize(("case", "count"), laws(few=1, many=200, cases=[case.wide for case in SMALL]))
def test_every_sample_compiles_to_torch_and_has_the_figures(case: Case, count: int) -> None:
    """The compiled file is written and imported for each sample, and measured for the first."""
    for position, answers in enumerate(samples(case, count)):
        graph = graph_of(case, answers)
        found = figures(graph)
        network, written = built(graph), standalone(graph)
        assert tensors(written) == tensors(network)
        assert numbers(network) == found.params
        assert numbers(built(graph, auxiliary=True)) == found.params_training
        assert products(with_zeros(network), graph) == found.macs
        if position == 0:
            assert products(with_zeros(written), graph) == found.macs


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_tensors_without_numbers_are_counted_like_others(case: Case) -> None:
    (answers,) = samples(case, 1)
    graph = graph_of(case, answers)
    assert products(built(graph), graph, "meta") == products(Network(graph), graph) == figures(graph).macs > 0


@pytest.mark.slow
@pytest.mark.parametrize("case", [case.published for case in SMALL], ids=str)
def test_at_the_size_of_the_text_the_figures_are_those_of_torch(case: Case) -> None:
    for answers in samples(case, 5):
        graph = graph_of(case, answers)
        assert products(built(graph), graph, "meta") == figures(graph).macs
