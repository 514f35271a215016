"""Folding batch norm changes the graph and not the function."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archdsl.ir import ClosedGraph, verify
from archdsl.nets import Network, load_weights
from archdsl.ops import Shape
from archdsl.space import Apply
from archdsl.weights import Tensors, fold_batch_norm, random_weights, specification
from tests.graphs import Sketch, small_network


def compute(graph: ClosedGraph, weights: Tensors, x_BCHW: torch.Tensor) -> dict[str, torch.Tensor]:
    network = Network(graph, auxiliary=True).double().eval()
    load_weights(network, weights)
    with torch.no_grad():
        return network.outputs(x_BCHW)


def assert_same_function(graph: ClosedGraph, seed: int = 0) -> ClosedGraph:
    weights = random_weights(graph, seed)
    folded, tensors = fold_batch_norm(graph, weights)
    verify(folded)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        name: spec.shape for name, spec in specification(folded).items()
    }
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    channels, height, width = graph.node(graph.images[0]).shape
    x_BCHW = torch.randn(2, int(str(channels)), height, width, dtype=torch.float64)
    before, after = compute(graph, weights, x_BCHW), compute(folded, tensors, x_BCHW)
    assert before.keys() == after.keys()
    for name, y in before.items():
        torch.testing.assert_close(after[name], y, rtol=1e-5, atol=1e-5)
    return folded


def norms(graph: ClosedGraph) -> list[str]:
    return [path for path, payload in graph.with_payload(Apply) if payload.primitive == "bn"]


def test_a_network() -> None:
    graph = small_network()
    folded = assert_same_function(graph)
    assert norms(folded) == []
    assert set(folded) == set(graph) - set(norms(graph))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("primitive", ["conv", "dwconv", "linear"])
def test_each_layer(primitive: str, bias: bool, affine: bool) -> None:
    sketch = Sketch()
    x = sketch.image(6, 1, 1)
    given = {} if primitive == "dwconv" else {"c": 4}
    y = sketch.apply("cell.layer", primitive, x, bias=bias, **given)
    sketch.result("y", sketch.apply("cell.bn", "bn", y, affine=affine, eps=0.001))
    assert norms(assert_same_function(sketch.graph())) == []


def test_grouped_conv_and_two_norms_in_a_row() -> None:
    sketch = Sketch()
    y = sketch.apply("cell.conv", "conv", sketch.image(6, 5, 5), c=9, groups=3)
    y = sketch.apply("cell.bn", "bn", y)
    sketch.result("y", sketch.apply("cell.bn_2", "bn", y))
    assert norms(assert_same_function(sketch.graph())) == []


def test_a_layer_that_others_read_keeps_its_norm() -> None:
    sketch = Sketch()
    y = sketch.apply("cell.conv", "conv", sketch.image(3, 5, 5), c=4)
    norm = sketch.apply("cell.bn", "bn", y)
    sketch.result("y", sketch.apply("cell.add", "add", y, norm))
    assert norms(assert_same_function(sketch.graph())) == ["cell.bn"]


def test_an_output_reads_too() -> None:
    sketch = Sketch()
    y = sketch.apply("cell.conv", "conv", sketch.image(3, 5, 5), c=4)
    sketch.result("raw", y)
    sketch.result("y", sketch.apply("cell.bn", "bn", y))
    assert norms(assert_same_function(sketch.graph())) == ["cell.bn"]


@pytest.mark.parametrize("groups", [1, 2])
def test_a_norm_after_a_transposed_convolution_scales_what_it_writes(groups: int) -> None:
    sketch = Sketch()
    x = sketch.apply("cell.first", "conv", sketch.image(3, 5, 5), c=4)
    y = sketch.apply("cell.up", "conv_transpose", x, c=6, k=(3, 2), s=2, groups=groups)
    sketch.result("y", sketch.apply("cell.bn", "bn", y))
    assert norms(assert_same_function(sketch.graph())) == []


def test_a_norm_after_anything_else_stays() -> None:
    sketch = Sketch()
    pooled = sketch.apply("cell.max_pool", "max_pool", sketch.image(3, 5, 5), k=3)
    norm = sketch.apply("cell.bn", "bn", pooled)
    y = sketch.apply("cell.conv", "conv", norm, c=4)
    y = sketch.apply("cell.relu", "relu", y)
    sketch.result("y", sketch.apply("cell.bn_2", "bn", y))
    folded = assert_same_function(sketch.graph())
    assert norms(folded) == ["cell.bn", "cell.bn_2"]
    assert folded.node("cell.conv").shape == Shape(4, 5, 5)
