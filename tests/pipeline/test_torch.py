"""Property 4 on uniform samples of every space: they compile to torch, and torch counts what the rules count.

torch counts on its `meta` device, whose tensors have shapes and no numbers, so that images may be as large as they are.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archdsl.cost import figures
from archdsl.export import to_torch_source
from archdsl.ir import Graph
from archdsl.nets import Network
from tests.export.modules import module_of
from tests.pipeline.spaces import SMALL, Case, graph_of, laws, samples


def numbers(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def products(network: nn.Module, graph: Graph, device: str = "meta") -> int:
    """Multiply-adds as torch measures them on one image: it counts an addition of its own for each product."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(torch.zeros(1, *shape(graph), device=device))
    total = counter.get_total_flops()
    assert total % 2 == 0
    return total // 2


def shape(graph: Graph) -> tuple[int, int, int]:
    image = graph.node(graph.images[0]).shape
    assert isinstance(image.channels, int)
    return image.channels, image.height, image.width


def built(graph: Graph, *, auxiliary: bool = False) -> Network:
    with torch.device("meta"):
        return Network(graph, auxiliary=auxiliary)


def standalone(graph: Graph) -> nn.Module:
    """The network of the file that is compiled of the graph, which is imported as anyone would."""
    module: Any = module_of(to_torch_source(graph))
    with torch.device("meta"):
        return module.load.__annotations__["return"]()


def tensors(network: nn.Module) -> dict[str, torch.Size]:
    state: dict[str, Tensor] = network.state_dict()
    return {name: tensor.shape for name, tensor in state.items()}


@pytest.mark.parametrize(("case", "count"), laws(few=1, many=200))
def test_torch_measures_what_the_figures_say(case: Case, count: int) -> None:
    for answers in samples(case, count):
        graph = graph_of(case, answers)
        found = figures(graph)
        network, everything = built(graph), built(graph, auxiliary=True)
        assert numbers(network) == found.params
        assert numbers(everything) == found.params_training
        assert products(network, graph) == found.macs


@pytest.mark.parametrize(("case", "count"), laws(few=1, many=200))
def test_the_compiled_file_has_the_same_tensors(case: Case, count: int) -> None:
    """The file is written and imported for each sample, and torch measures the first one."""
    for position, answers in enumerate(samples(case, count)):
        graph = graph_of(case, answers)
        assert tensors(standalone(graph)) == tensors(built(graph))
        if position == 0:
            assert products(standalone(graph), graph) == figures(graph).macs


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_tensors_without_numbers_are_counted_like_others(case: Case) -> None:
    (answers, *_) = samples(case, 1)
    graph = graph_of(case, answers)
    real = products(Network(graph), graph, "cpu")
    assert real == products(built(graph), graph) == figures(graph).macs > 0
