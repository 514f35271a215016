"""Which tensors a graph has, how they are drawn, and how they go to files and back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save as saved_by_torch

from archdsl.ir import ClosedGraph, for_inference, tensor_name
from archdsl.nets import Network, load_weights, weights_of
from archdsl.ops import Shape
from archdsl.weights import (
    TooManyWeights,
    UnreadableWeights,
    WeightsMismatch,
    load,
    load_metadata,
    random_weights,
    save,
    specification,
    to_bytes,
)
from tests.graphs import Sketch, of_one, small_network


def test_more_weights_than_any_memory_holds_are_not_drawn() -> None:
    sketch = Sketch("wide")
    wide = sketch.apply("wide", "conv", sketch.image(3, 16, 16), c=1_000_000)
    sketch.result("logits", sketch.apply("logits", "conv", wide, c=1_000_000))
    with pytest.raises(TooManyWeights, match=r"`wide` has 9,000,\d+,\d+,\d+ weights"):
        random_weights(sketch.graph())


def deep_network(depth: int) -> ClosedGraph:
    """Residual sums, separable convs without a norm between, and gates, over and over."""
    sketch = Sketch("deep")
    x = sketch.conv_bn_relu("stem", sketch.image(3, 16, 16), c=24)
    for number in range(depth):
        cell = f"cell_{number}"
        y = sketch.apply(f"{cell}.relu", "relu", x)
        y = sketch.apply(f"{cell}.dwconv", "dwconv", y)
        y = sketch.apply(f"{cell}.conv", "conv", y, c=24, k=1)
        y = sketch.apply(f"{cell}.bn", "bn", y)
        if number % 3 == 0:
            gate = sketch.apply(f"{cell}.pool", "global_avg_pool", y)
            gate = sketch.apply(f"{cell}.linear", "linear", gate, c=24)
            gate = sketch.apply(f"{cell}.hsigmoid", "hsigmoid", gate)
            y = sketch.apply(f"{cell}.multiply", "multiply", y, gate)
        x = sketch.apply(f"{cell}.add", "add", x, y)
    sketch.result("y", sketch.apply("head.conv", "conv", x, c=24))
    return sketch.graph()


def test_the_specification_is_the_state_dict_of_the_network() -> None:
    graph = small_network()
    network = Network(graph, auxiliary=True)
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    wanted = {name: spec.shape for name, spec in specification(graph).items()}
    assert wanted == {name: shape for name, shape in own.items() if not name.endswith("num_batches_tracked")}
    trained = {name for name, spec in specification(graph).items() if spec.trained}
    assert trained == {name for name, _ in network.named_parameters()}


def test_random_weights_are_those_of_the_specification() -> None:
    graph = small_network()
    tensors = random_weights(graph)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        name: spec.shape for name, spec in specification(graph).items()
    }
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())


def test_random_weights_depend_on_seed_and_name_only() -> None:
    graph = small_network()
    first, again, other = random_weights(graph, 1), random_weights(graph, 1), random_weights(graph, 2)
    part = random_weights(for_inference(graph), 1)
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, again[name])
        assert not np.array_equal(tensor, other[name])
    for name, tensor in part.items():
        np.testing.assert_array_equal(tensor, first[name])


@pytest.mark.parametrize("depth", [1, 60])
def test_a_random_network_neither_explodes_nor_dies(depth: int) -> None:
    graph = deep_network(depth)
    network = Network(graph).eval()
    load_weights(network, random_weights(graph))
    with torch.no_grad():
        maps = network.probe(torch.randn(1, 3, 16, 16))
    assert 0.1 < float(maps["head.conv"].std()) < 10
    assert max(float(y.abs().max()) for y in maps.values()) < 1000


def test_learned_maps_begin_as_the_text_says_and_are_of_size_one_elsewhere() -> None:
    graph = of_one("parameter", Shape(3, 8, 8), c=16, size=(40, 40), init=Fraction(1, 2), std=Fraction(1, 50))
    (begun,) = random_weights(graph, initial=True).values()
    (drawn,) = random_weights(graph).values()
    assert begun.shape == drawn.shape == (16, 40, 40)
    assert abs(begun.mean() - 0.5) < 0.002 and abs(begun.std() - 0.02) < 0.002
    assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1) < 0.05


def test_files_give_back_what_was_saved(tmp_path: Path) -> None:
    graph, path = small_network(), tmp_path / "weights.safetensors"
    tensors = random_weights(graph)
    save(path, dict(reversed(tensors.items())), {"space": "small"})
    found = load(path, graph).tensors
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)
    assert load_metadata(path) == {"space": "small"}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_saving_looks_at_strides(tmp_path: Path) -> None:
    graph = of_one("linear", Shape(3, 1, 1), c=4, bias=False)
    weight = np.arange(12, dtype=np.float32).reshape(3, 4).T
    save(tmp_path / "w", {"cell.linear.weight": weight}, {})
    np.testing.assert_array_equal(load(tmp_path / "w", graph).tensors["cell.linear.weight"], weight)


def test_the_order_of_tensors_and_metadata_does_not_count() -> None:
    tensors = random_weights(small_network())
    metadata = {letter: letter for letter in "abcdefgh"}
    first = to_bytes(tensors, metadata)
    assert first == to_bytes(dict(reversed(tensors.items())), dict(reversed(metadata.items())))
    assert int.from_bytes(first[:8], "little") % 8 == 0


def test_a_checkpoint_of_torch_is_read(tmp_path: Path) -> None:
    graph, path = small_network(), tmp_path / "w"
    network = Network(graph, auxiliary=True).half()
    path.write_bytes(saved_by_torch(network.state_dict()))
    found = load(path, graph).tensors
    for name, tensor in weights_of(network).items():
        np.testing.assert_array_equal(found[name], tensor)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    graph = small_network()
    tensors = dict(random_weights(graph))
    del tensors["trunk.bn.bias"]
    tensors["trunk.extra.weight"] = np.zeros((2, 3), np.float32)
    tensors["head.conv.bias"] = np.zeros(7, np.float32)
    save(tmp_path / "w", tensors, {})
    with pytest.raises(WeightsMismatch) as caught:
        load(tmp_path / "w", graph)
    assert str(caught.value).splitlines() == [
        "the weights are those of another network",
        "  missing:",
        "    trunk.bn.bias 24",
        "  not part of the network:",
        "    trunk.extra.weight 2x3",
        "  of another shape:",
        "    head.conv.bias is 7, wanted 5",
    ]
    assert caught.value.missing.keys() == {"trunk.bn.bias"}
    assert caught.value.unexpected == {"trunk.extra.weight": (2, 3)}


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_cut_off_file_is_unreadable(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "w"
    save(path, random_weights(small_network()), {})
    path.write_bytes(path.read_bytes()[:keep])
    for read in (lambda: load(path, small_network()), lambda: load_metadata(path)):
        with pytest.raises(UnreadableWeights, match="cannot be read as safetensors"):
            read()


def test_garbage_and_whole_numbers_are_unreadable(tmp_path: Path) -> None:
    graph = of_one("linear", Shape(3, 1, 1), c=4, bias=False)
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(UnreadableWeights):
        load(tmp_path / "junk", graph)
    (tmp_path / "whole").write_bytes(saved_by_torch({"cell.linear.weight": torch.zeros(4, 3, dtype=torch.int64)}))
    with pytest.raises(UnreadableWeights, match="holds int64"):
        load(tmp_path / "whole", graph)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing", small_network())


def test_a_name_is_that_of_the_layer() -> None:
    graph = small_network()
    assert tensor_name(graph.node("stem.conv_bn_relu.conv"), "weight") in specification(graph)
