"""The ONNX that is written computes what the torch network of the same graph computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from archdsl.backends.onnx.model import to_onnx
from archdsl.ir import ClosedGraph, for_inference
from archdsl.nets import Network, load_weights
from archdsl.ops import Shape
from archdsl.weights import Tensors, fold_batch_norm, random_weights
from tests.graphs import Sketch, of_one, small_network
from tests.onnx_session import Floats, exported_by_torch, run
from tests.primitive_cases import CASES


def torch_output(graph: ClosedGraph, weights: Tensors, x: Floats) -> Floats:
    network = Network(graph).eval()
    load_weights(network, weights)
    with torch.no_grad():
        y = network(torch.as_tensor(x))
    assert isinstance(y, torch.Tensor)
    return y.detach().numpy()


def image(graph: ClosedGraph, batch: int = 1, size: tuple[int, int] | None = None) -> Floats:
    channels, height, width = graph.node(graph.images[0]).shape
    lengths = size or (height, width)
    return np.random.default_rng(0).normal(size=(batch, int(str(channels)), *lengths)).astype(np.float32)


@pytest.mark.parametrize("dynamic", [False, True], ids=["fixed size", "open size"])
@pytest.mark.parametrize("primitive", CASES)
@given(data=st.data(), batch=st.integers(1, 2))
@settings(max_examples=25)
def test_a_primitive_is_that_of_torch(primitive: str, dynamic: bool, data: st.DataObject, batch: int) -> None:
    case = data.draw(CASES[primitive])
    graph = of_one(primitive, *case.maps, **case.given)
    weights, x = random_weights(graph), image(graph, batch)
    found = run(to_onnx(graph, weights, batch=batch, dynamic=dynamic), x)["y"]
    expected = torch_output(graph, weights, x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


def test_a_window_of_padding_alone_is_left_out_where_sizes_are_open() -> None:
    graph = of_one("avg_pool", Shape(1, 1, 2), k=5, s=4, ceil=True, count_padding=True)
    x = image(graph)
    found = run(to_onnx(graph, {}, dynamic=True), x)["y"]
    np.testing.assert_allclose(found, torch_output(graph, {}, x), rtol=1e-4)


@pytest.fixture(scope="module")
def small() -> tuple[ClosedGraph, Tensors]:
    graph = small_network()
    return graph, random_weights(graph)


def test_a_network_is_that_of_torch(small: tuple[ClosedGraph, Tensors]) -> None:
    x = image(small[0])
    found = run(to_onnx(*small), x)
    assert found.keys() == {"logits"}
    np.testing.assert_allclose(found["logits"], torch_output(*small, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(64, 96), (128, 160)])
def test_open_sizes(small: tuple[ClosedGraph, Tensors], size: tuple[int, int]) -> None:
    x = image(small[0], size=size)
    found = run(to_onnx(*small, dynamic=True), x)["logits"]
    np.testing.assert_allclose(found, torch_output(*small, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dynamic", [False, True])
def test_labels_are_the_largest_logits(small: tuple[ClosedGraph, Tensors], dynamic: bool) -> None:
    x = image(small[0])
    found = run(to_onnx(*small, labels=True, dynamic=dynamic), x)["logits"]
    logits = torch_output(*small, x)
    assert found.dtype == np.int32
    assert found.shape == (1, 64, 96)
    np.testing.assert_allclose(
        np.take_along_axis(logits, found.astype(np.int64)[:, None], 1)[:, 0], logits.max(1), atol=1e-5
    )


def test_labels_of_a_smaller_map_have_the_size_of_the_image() -> None:
    sketch = Sketch()
    low = sketch.apply("head.conv", "conv", sketch.image(3, 17, 23), c=5, s=4)
    sketch.result("logits", low)
    graph = sketch.graph()
    weights, x = random_weights(graph), image(graph)
    found = run(to_onnx(graph, weights, labels=True), x)["logits"]
    large = torch.nn.functional.interpolate(torch.as_tensor(torch_output(graph, weights, x)), (17, 23), mode="bilinear")
    np.testing.assert_allclose(
        np.take_along_axis(large.numpy(), found.astype(np.int64)[:, None], 1)[:, 0], large.numpy().max(1), atol=1e-5
    )


def test_labels_of_labels_are_the_labels() -> None:
    graph = of_one("argmax", Shape(4, 5, 6))
    x = image(graph)
    found = run(to_onnx(graph, {}, labels=True), x)["y"]
    np.testing.assert_array_equal(found, x.argmax(1))


def test_names_are_those_of_the_ir(small: tuple[ClosedGraph, Tensors]) -> None:
    model = to_onnx(*small, metadata={"text": "small.arch", "hash": "12"})
    graph, weights = fold_batch_norm(for_inference(small[0]), small[1])
    assert {node.name.split("/")[0] for node in model.graph.node} <= set(graph)
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert weights.keys() <= held.keys()
    for name, tensor in weights.items():
        np.testing.assert_array_equal(held[name], tensor)
    assert {prop.key: prop.value for prop in model.metadata_props} == {"text": "small.arch", "hash": "12"}
    assert [node.op_type for node in model.graph.node].count("BatchNormalization") == 0


def test_outputs_keep_their_names_where_maps_have_them_or_are_shared() -> None:
    sketch = Sketch()
    x = sketch.image(3, 6, 6)
    relu = sketch.apply("relu", "relu", x)
    sigmoid = sketch.apply("sigmoid", "sigmoid", relu)
    sketch.result("relu", sigmoid)
    sketch.result("same", sigmoid)
    sketch.result("input", x)
    graph = sketch.graph()
    data = image(graph)
    found = run(to_onnx(graph, {}), data)
    expected = 1 / (1 + np.exp(-np.maximum(data, 0)))
    np.testing.assert_allclose(found["relu"], expected, rtol=1e-5)
    np.testing.assert_allclose(found["same"], expected, rtol=1e-5)
    np.testing.assert_array_equal(found["input"], data)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_torch_exports_the_same_function(small: tuple[ClosedGraph, Tensors], tmp_path: Path) -> None:
    network = Network(small[0]).eval()
    load_weights(network, small[1])
    x = image(small[0])
    (theirs,) = run(exported_by_torch(network, x, tmp_path / "network.onnx"), x).values()
    np.testing.assert_allclose(run(to_onnx(*small), x)["logits"], theirs, rtol=1e-4, atol=1e-5)


def test_a_missing_weight_is_named(small: tuple[ClosedGraph, Tensors]) -> None:
    graph, weights = small
    lacking = {name: tensor for name, tensor in weights.items() if name != "head.conv.weight"}
    with pytest.raises(KeyError, match=r"head\.conv\.weight"):
        to_onnx(graph, lacking)
