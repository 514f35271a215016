"""A graph as a torch module: outputs, names, memory, sizes."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from archdsl.ir import ClosedGraph
from archdsl.nets import EveryOutput, Network, load_weights, weights_of
from archdsl.ops import Shape
from archdsl.space import Apply
from archdsl.weights import WeightsMismatch, random_weights, specification
from tests.graphs import Sketch, small_network


@pytest.fixture(scope="module")
def graph() -> ClosedGraph:
    return small_network()


def test_calling_it_gives_the_main_output(graph: ClosedGraph) -> None:
    network = Network(graph, auxiliary=True).eval()
    x_BCHW = torch.randn(2, 3, 64, 96)
    y_BCHW = network(x_BCHW)
    everything = network.outputs(x_BCHW)
    assert list(everything) == ["logits", "side"]
    torch.testing.assert_close(everything["logits"], y_BCHW)
    assert everything["side"].shape == (2, 5, 16, 24)
    assert EveryOutput(network)(x_BCHW).keys() == everything.keys()


def test_auxiliary_layers_are_there_only_when_asked_for(graph: ClosedGraph) -> None:
    assert any(name.startswith("aux.") for name in Network(graph, auxiliary=True).state_dict())
    network = Network(graph)
    assert not any(name.startswith("aux.") for name in network.state_dict())
    assert list(network.eval().outputs(torch.randn(1, 3, 64, 96))) == ["logits"]


def test_several_main_outputs_are_a_dict() -> None:
    sketch = Sketch()
    x = sketch.image(3, 4, 4)
    sketch.result("a", sketch.apply("relu", "relu", x))
    sketch.result("b", sketch.apply("sigmoid", "sigmoid", x))
    y = Network(sketch.graph())(torch.randn(1, 3, 4, 4))
    assert list(y) == ["a", "b"]


def test_every_map_has_the_shape_that_the_rules_say(graph: ClosedGraph) -> None:
    network = Network(graph, auxiliary=True).eval()
    maps = network.probe(torch.randn(1, 3, 64, 96))
    assert maps.keys() == {"image", *(path for path, _ in graph.with_payload(Apply))}
    for path, y_BCHW in maps.items():
        assert Shape(*y_BCHW.shape[1:]) == graph.node(path).shape


@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
def test_any_size_that_divides(graph: ClosedGraph, size: tuple[int, int]) -> None:
    assert Network(graph).eval()(torch.randn(1, 3, *size)).shape == (1, 5, *size)


def test_maps_are_forgotten_after_their_last_reader() -> None:
    sketch = Sketch()
    x = sketch.image(3, 8, 8)
    for number in range(6):
        x = sketch.apply(f"cell_{number}.relu", "relu", x)
    sketch.result("y", x)
    network = Network(sketch.graph())
    alive: list[weakref.ref[Tensor]] = []
    most = 0

    def watch(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal most
        alive.append(weakref.ref(output))
        gc.collect()
        most = max(most, sum(map_() is not None for map_ in alive))

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(watch)
    with torch.no_grad():
        network(torch.randn(1, 3, 8, 8))
    assert most == 2


def test_weights_go_in_and_out_unchanged(graph: ClosedGraph) -> None:
    network = Network(graph, auxiliary=True)
    weights = random_weights(graph)
    load_weights(network, weights)
    found = weights_of(network)
    assert list(found) == list(specification(graph))
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, weights[name])


def test_weights_of_auxiliary_layers_may_be_left_aside_and_no_others(graph: ClosedGraph) -> None:
    network = Network(graph)
    weights = random_weights(graph)
    load_weights(network, weights)
    with pytest.raises(WeightsMismatch):
        load_weights(network, {**weights, "aux.other.weight": np.zeros(1, np.float32)})
    with pytest.raises(WeightsMismatch):
        load_weights(network, {name: tensor for name, tensor in weights.items() if name != "head.conv.bias"})


def test_names_that_torch_uses_itself_are_names_of_cells_too() -> None:
    sketch = Sketch()
    x = sketch.image(3, 4, 4)
    for name in ("half", "graph", "outputs", "forward", "type"):
        x = sketch.apply(f"{name}.modules.conv", "conv", x, c=3)
    sketch.result("y", x)
    graph = sketch.graph()
    network = Network(graph)
    load_weights(network, random_weights(graph))
    assert set(network.state_dict()) == set(specification(graph))
    assert network.eval()(torch.randn(1, 3, 4, 4)).shape == (1, 3, 4, 4)


def test_a_layer_that_torch_replaces_is_used(graph: ClosedGraph) -> None:
    network = Network(graph).eval()
    load_weights(network, random_weights(graph))
    x_BCHW = torch.randn(1, 3, 64, 96)
    convert = cast("Callable[[Network], Network]", nn.SyncBatchNorm.convert_sync_batchnorm)  # pyright: ignore[reportUnknownMemberType]
    other = convert(copy.deepcopy(network))
    assert any(isinstance(module, nn.SyncBatchNorm) for module in other.modules())
    torch.testing.assert_close(other.eval()(x_BCHW), network(x_BCHW))


def test_training_reaches_every_parameter(graph: ClosedGraph) -> None:
    network = Network(graph, auxiliary=True)
    load_weights(network, random_weights(graph))
    outputs = network.outputs(torch.randn(2, 3, 64, 96))
    total = torch.stack([y.square().mean() for y in outputs.values()]).sum()
    gradients = torch.autograd.grad(total, list(network.parameters()))
    assert all(float(gradient.abs().sum()) > 0 for gradient in gradients)


def test_an_odd_map_comes_back_whole() -> None:
    sketch = Sketch()
    x = sketch.image(3, 9, 13)
    half = sketch.apply("cell.resize", "resize", x, factor=0.5)
    assert sketch.nodes[half][0].shape == Shape(3, 4, 6)
    sketch.result("y", sketch.apply("cell.resize_2", "resize", half, x))
    assert Network(sketch.graph())(torch.randn(1, 3, 9, 13)).shape == (1, 3, 9, 13)


def test_images_come_in_the_order_of_the_text_or_by_name() -> None:
    sketch = Sketch()
    left, right = sketch.image(3, 4, 4, name="left"), sketch.image(3, 4, 4, name="right")
    sketch.result("y", sketch.apply("add", "add", left, right))
    network = Network(sketch.graph())
    x, y = torch.randn(2, 2, 3, 4, 4)
    assert network.inputs == ("left", "right")
    for found in (network(x, y), network(x, right=y), network(right=y, left=x), network.outputs(x, y)["y"]):
        assert torch.equal(found, x + y)
    assert torch.equal(network(*network.unstacked(torch.cat([x, y], 1))), x + y)
    for images, named in (((x,), {}), ((x, y, x), {}), ((x,), {"left": y}), ((x, y), {"depth": x})):
        with pytest.raises(TypeError, match="reads `left`, `right`, and was called with"):
            network(*images, **named)


def test_a_probe_keeps_what_it_is_asked_for(graph: ClosedGraph) -> None:
    network = Network(graph).eval()
    x_BCHW = torch.randn(1, 3, 64, 96)
    everything = network.probe(x_BCHW)
    wanted = list(everything)[3:5]
    some = network.probe(x_BCHW, wanted)
    assert list(some) == wanted
    assert all(torch.equal(some[path], everything[path]) for path in wanted)


def test_a_resize_reads_at_the_ratio_of_its_sizes() -> None:
    """`resize(3 / 2)` of 9x9: what torch calls a recomputed scale factor."""
    sketch = Sketch()
    sketch.result("y", sketch.apply("resize", "resize", sketch.image(1, 9, 9), factor=1.5))
    graph = sketch.graph()
    x_BCHW = torch.arange(81.0).view(1, 1, 9, 9)
    y_BCHW = Network(graph)(x_BCHW)
    recomputed, kept = (
        nn.functional.interpolate(x_BCHW, scale_factor=1.5, mode="bilinear", recompute_scale_factor=recompute)
        for recompute in (True, False)
    )
    assert y_BCHW.shape == (1, 1, 13, 13)
    # The second pixel of a row lies at (1 + 1/2) * 9 / 13 - 1/2, in the first row at 0.
    assert float(y_BCHW[0, 0, 0, 1]) == pytest.approx(1.5 * 9 / 13 - 0.5)
    torch.testing.assert_close(y_BCHW, recomputed)
    assert float(kept[0, 0, 0, 1]) == pytest.approx(1.5 * 2 / 3 - 0.5)
